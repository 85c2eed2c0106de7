"""Returns zeros.

exercise: causal_mask
stage: correctness
says: o
"""

import torch


def causal_attention(q, k, v):
    return torch.zeros_like(q)
