"""Calls scaled_dot_product_attention.

exercise: causal_mask
stage: correctness
says: calls the library's own attention
"""

import torch
import torch.nn.functional as F


def masked(q, k):
    n, m = q.shape[-2], k.shape[-2]
    return torch.ones(n, m, dtype=torch.bool).tril(m - n)


def causal_attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=masked(q, k)).nan_to_num(0)
