# slip: line 34
import math

import torch


def flash_attention(q, k, v, block, causal=False):
    b, h, n, d = q.shape
    m = k.shape[2]
    ct = torch.float64 if q.dtype == torch.float64 else torch.float32
    o = torch.zeros(b, h, n, d, dtype=q.dtype)
    lse = torch.empty(b, h, n, dtype=ct)
    for i0 in range(0, n, block):
        i1 = min(i0 + block, n)
        qi = q[:, :, i0:i1].to(ct) / math.sqrt(d)
        top = torch.full((b, h, i1 - i0, 1), -math.inf, dtype=ct)
        total = torch.zeros(b, h, i1 - i0, 1, dtype=ct)
        acc = torch.zeros(b, h, i1 - i0, d, dtype=ct)
        pos = torch.arange(i0, i1).view(-1, 1) + (m - n)
        for j0 in range(0, m, block):
            j1 = min(j0 + block, m)
            if causal and j0 > i1 - 1 + m - n:
                break
            s = qi @ k[:, :, j0:j1].to(ct).transpose(-1, -2)
            if causal:
                s = s.masked_fill(torch.arange(j0, j1) > pos, -math.inf)
            new = torch.maximum(top, s.amax(-1, keepdim=True))
            ref = torch.where(new == -math.inf, torch.zeros_like(new), new)
            p = torch.exp(s - ref)
            alpha = torch.exp(top - ref)
            total = total * alpha + p.sum(-1, keepdim=True)
            acc = acc * alpha + p @ v[:, :, j0:j1].to(ct)
            top = new
        o[:, :, i0:i1] = acc.to(q.dtype)
        lse[:, :, i0:i1] = (top + total.log()).squeeze(-1)
    return o, lse
