"""All queries against one tile of keys; results concatenated."""

import torch


def flash_attention_backward(q, k, v, o, lse, grad_o, block, causal=False):
    n, m = q.size(2), k.size(2)
    c = q.size(-1) ** -0.5
    D = (o * grad_o).sum(-1, keepdim=True)
    top = lse.nan_to_num(neginf=0.0).unsqueeze(-1)
    dq = torch.zeros_like(q)
    dks, dvs = [], []
    for kt, vt, first in zip(k.split(block, 2), v.split(block, 2), range(0, m, block)):
        lo = max(0, first - (m - n)) if causal else 0
        lo = min(lo, n)
        qs, gs = q[:, :, lo:], grad_o[:, :, lo:]
        s = qs @ kt.mT * c
        if causal:
            pos = torch.arange(lo, n)[:, None] + (m - n)
            s = s.masked_fill(torch.arange(first, first + kt.size(2)) > pos, -torch.inf)
        p = torch.exp(s - top[:, :, lo:])
        dvs.append(p.mT @ gs)
        ds = p * (gs @ vt.mT - D[:, :, lo:])
        dq[:, :, lo:] += ds @ kt * c
        dks.append(ds.mT @ qs * c)
    return dq, torch.cat(dks, 2), torch.cat(dvs, 2)
