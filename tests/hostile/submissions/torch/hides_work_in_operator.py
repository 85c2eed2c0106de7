"""Multiplies ten times over inside an operator of its own.

exercise: causal_mask
stage: cost
says: 1.5 times is allowed
"""

import torch


@torch.library.custom_op("submission::slow", mutates_args=())
def slow(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    n, m = q.shape[-2], k.shape[-2]
    for _ in range(10):
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    hidden = torch.ones(n, m, dtype=torch.bool).triu(m - n + 1)
    weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), -1)
    return weights.masked_fill(hidden, 0) @ v


def causal_attention(q, k, v):
    return slow(q, k, v)
