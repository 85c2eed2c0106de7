"""An operator of its own, defined and implemented by hand.

exercise: causal_mask
passes
"""

import torch


def attention(q, k, v):
    n, m = q.shape[-2], k.shape[-2]
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    hidden = torch.ones(n, m, dtype=torch.bool).triu(m - n + 1)
    weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), -1)
    return weights.masked_fill(hidden, 0) @ v


library = torch.library.Library("submission", "DEF")
library.define("attention(Tensor q, Tensor k, Tensor v) -> Tensor")
library.impl("attention", attention, "CPU")


def causal_attention(q, k, v):
    return torch.ops.submission.attention(q, k, v)
