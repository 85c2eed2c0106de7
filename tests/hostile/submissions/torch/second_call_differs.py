"""Is wrong the second time it sees the same inputs.

exercise: causal_mask
stage: correctness
says: second call
"""

import torch


def right(q, k, v):
    n, m = q.shape[-2], k.shape[-2]
    hidden = torch.ones(n, m, dtype=torch.bool).triu(m - n + 1)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
    return weights.masked_fill(hidden, 0) @ v


SEEN = set()


def causal_attention(q, k, v):
    key = (q.shape, k.shape, q.double().sum().item())
    out = right(q, k, v)
    if key in SEEN:
        out = out + 1
    SEEN.add(key)
    return out
