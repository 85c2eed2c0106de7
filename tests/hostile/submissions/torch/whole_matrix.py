"""Keeps the n x m matrix of scores. No cheat, but the mistake that the exercise is about.

exercise: flash_forward
stage: cost
says: grows faster than the contract
"""

import torch


def whole_matrix(q, k, v, causal):
    n, m = q.shape[-2], k.shape[-2]
    wide = torch.promote_types(q.dtype, torch.float32)
    scores = ((q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)).to(wide)
    hidden = torch.ones(n, m, dtype=torch.bool).triu(m - n + 1) & causal
    scores = scores.masked_fill(hidden, -torch.inf)
    lse = torch.logsumexp(scores, dim=-1)
    weights = torch.softmax(scores, dim=-1).masked_fill(hidden, 0)
    return weights.to(v.dtype) @ v, lse


def flash_attention(q, k, v, block, causal=False):
    return whole_matrix(q, k, v, causal)
