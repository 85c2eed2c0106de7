# slip: line 11
import math

import torch


def flash_attention(q, k, v, block, causal=False):
    b, h, n, d = q.shape
    m = k.shape[2]
    ct = torch.promote_types(q.dtype, torch.float32)
    scores = q.to(ct) @ k.to(ct).mT / math.sqrt(d)
    if causal:
        scores.masked_fill_(torch.ones(n, m).triu(m - n + 1).bool(), -math.inf)
    top = torch.full((b, h, n), -math.inf, dtype=ct)
    total = torch.zeros(b, h, n, dtype=ct)
    acc = torch.zeros(b, h, n, d, dtype=ct)
    for j in range(0, m, block):
        s = scores[..., j : j + block]
        new = torch.maximum(top, s.amax(-1))
        ref = new.clamp_min(-1e30)
        shrink = torch.exp(top - ref)
        p = torch.exp(s - ref.unsqueeze(-1))
        total = total * shrink + p.sum(-1)
        acc = acc * shrink.unsqueeze(-1) + p @ v[:, :, j : j + block].to(ct)
        top = new
    o = acc / total.clamp_min(1e-30).unsqueeze(-1)
    return o.to(q.dtype), top + total.log()
