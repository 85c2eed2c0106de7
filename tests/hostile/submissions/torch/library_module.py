"""Calls an nn.MultiheadAttention.

exercise: causal_mask
stage: correctness
says: calls the library's own attention
"""

import torch


def causal_attention(q, k, v):
    b, h, n, d = q.shape
    module = torch.nn.MultiheadAttention(d, 1, batch_first=True).eval()
    rows = [x.reshape(b * h, -1, d).float() for x in (q, k, v)]
    return module(*rows)[0].reshape(q.shape).to(q.dtype)
