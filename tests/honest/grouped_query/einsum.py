"""One einsum over (b, g, r)."""

import torch


def grouped_query_attention(q, k, v):
    b, h, n, d = q.shape
    g = k.shape[1]
    qg = q.reshape(b, g, h // g, n, d) * d**-0.5
    s = torch.einsum("bgrnd,bgmd->bgrnm", qg, k)
    w = torch.softmax(s, -1)
    return torch.einsum("bgrnm,bgmd->bgrnd", w, v).reshape(b, h, n, d)
