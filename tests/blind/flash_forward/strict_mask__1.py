# slip: line 49
import math
import torch
from torch import einsum


class Running:
    """max, sum and weighted values of a tile of rows, all relative to the max"""

    def __init__(self, rows, d, dtype):
        self.m = torch.full((rows,), -math.inf, dtype=dtype)
        self.l = torch.zeros(rows, dtype=dtype)
        self.acc = torch.zeros(rows, d, dtype=dtype)

    def update(self, s, v):
        m_new = torch.maximum(self.m, s.max(dim=1).values)
        base = m_new.masked_fill(m_new.isinf(), 0.0)
        p = (s - base[:, None]).exp()
        shrink = (self.m - base).exp()
        self.l = self.l * shrink + p.sum(dim=1)
        self.acc = self.acc * shrink[:, None] + einsum("ij,jd->id", p, v)
        self.m = m_new

    def finish(self):
        o = self.acc / self.l[:, None]
        return torch.nan_to_num(o, nan=0.0), self.m + self.l.log()


def flash_attention(q, k, v, block, causal=False):
    b, h, n, d = q.shape
    m = k.shape[2]
    dtype = torch.promote_types(q.dtype, torch.float32)
    o = torch.empty_like(q)
    lse = torch.empty((b, h, n), dtype=dtype)
    shift = m - n
    for bi in range(b):
        for hi in range(h):
            for r in range(0, n, block):
                qt = q[bi, hi, r : r + block].to(dtype)
                state = Running(len(qt), d, dtype)
                limit = min(m, r + len(qt) + shift) if causal else m
                for c in range(0, limit, block):
                    kt = k[bi, hi, c : c + block].to(dtype)
                    vt = v[bi, hi, c : c + block].to(dtype)
                    s = einsum("id,jd->ij", qt, kt) / math.sqrt(d)
                    if causal:
                        i = torch.arange(r, r + len(qt))[:, None]
                        j = torch.arange(c, c + len(kt))[None]
                        s = torch.where(j < i + shift, s, -math.inf)
                    state.update(s, vt)
                ot, lt = state.finish()
                o[bi, hi, r : r + block] = ot.to(q.dtype)
                lse[bi, hi, r : r + block] = lt
    return o, lse
