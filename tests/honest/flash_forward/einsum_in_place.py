"""Einstein sums, state updated in place, tiles walked from the last to the first."""

import torch


def flash_attention(q, k, v, block, causal=False):
    b, h, n, d = q.shape
    m = k.shape[2]
    wide = torch.promote_types(q.dtype, torch.float32)
    o = q.new_zeros(b, h, n, d)
    lse = torch.full((b, h, n), float("-inf"), dtype=wide)
    row_tiles = range(0, n, block)
    for i in reversed(row_tiles):
        qi = q[:, :, i : i + block]
        r = qi.shape[2]
        top = torch.full((b, h, r), -3e38, dtype=wide)
        total = torch.zeros((b, h, r), dtype=wide)
        acc = torch.zeros((b, h, r, d), dtype=wide)
        tiles = [j for j in range(0, m, block) if not causal or j <= i + r - 1 + m - n]
        for j in reversed(tiles):
            kj, vj = k[:, :, j : j + block], v[:, :, j : j + block]
            s = torch.einsum("bhid,bhjd->bhij", qi, kj).to(wide)
            s /= d**0.5
            if causal:
                ii = i + torch.arange(r).reshape(-1, 1) + m - n
                s[..., (j + torch.arange(kj.shape[2])) > ii] = float("-inf")
            new = torch.max(top, s.amax(dim=-1))
            s -= new.unsqueeze(-1)
            s.exp_()
            top -= new
            top.exp_()
            total *= top
            total += s.sum(-1)
            acc *= top.unsqueeze(-1)
            acc += torch.einsum("bhij,bhjd->bhid", s.to(v.dtype), vj)
            top = new
        alive = total > 0
        o[:, :, i : i + block] = acc / total.masked_fill(~alive, 1).unsqueeze(-1)
        lse[:, :, i : i + block] = torch.where(alive, top + total.log(), -torch.inf)
    return o, lse
