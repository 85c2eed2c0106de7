# slip: line 18
import math

import torch


def grouped_query_attention(q, k, v):
    b, h, n, d = q.shape
    g = k.shape[1]
    per_group = h // g
    acc = torch.promote_types(q.dtype, torch.float32)
    out = torch.empty(b, h, n, d, dtype=q.dtype)
    for bi in range(b):
        for i in range(h):
            j = i // per_group
            s = q[bi, i].to(acc) @ k[bi, j].to(acc).T / math.sqrt(d)
            w = torch.softmax(s, dim=-1)
            out[bi, i] = (w @ v[bi, i % g].to(acc)).to(q.dtype)
    return out
