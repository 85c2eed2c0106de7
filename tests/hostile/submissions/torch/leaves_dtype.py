"""Works in float64 by changing torch's default, for its caller as well.

exercise: causal_mask
stage: correctness
says: default dtype
"""

import torch

torch.set_default_dtype(torch.float64)


def causal_attention(q, k, v):
    n, m = q.shape[-2], k.shape[-2]
    hidden = torch.ones(n, m, dtype=torch.bool).triu(m - n + 1)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
    return weights.masked_fill(hidden, 0) @ v
