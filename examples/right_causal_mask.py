"""A right answer to causal_mask, one head at a time with einsum: style is free."""

import math

import torch


def causal_attention(q, k, v):
    h, n, d = q.shape[1:]
    m = k.shape[2]
    hidden = torch.ones(n, m, dtype=torch.bool).tril(m - n).logical_not()
    heads = []
    for head in range(h):
        scores = torch.einsum("bnd,bmd->bnm", q[:, head], k[:, head]) / math.sqrt(d)
        scores[:, hidden] = -math.inf
        weights = torch.nan_to_num(scores.softmax(-1), nan=0.0)
        heads.append(torch.einsum("bnm,bmd->bnd", weights, v[:, head]))
    return torch.stack(heads, dim=1)
