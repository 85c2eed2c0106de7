"""Hands out one result buffer for every call of a shape.

exercise: causal_mask
stage: correctness
says: changed a result that it had returned before
"""

import torch

RESULTS = {}


def causal_attention(q, k, v):
    n, m = q.shape[-2], k.shape[-2]
    hidden = torch.ones(n, m, dtype=torch.bool).triu(m - n + 1)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
    out = RESULTS.setdefault((q.shape, q.dtype), torch.empty(q.shape, dtype=q.dtype))
    return out.copy_(weights.masked_fill(hidden, 0) @ v)
