# slip: line 16
import math

import torch


def attention(q, k, v):
    b, h, n, d = q.shape
    out = torch.empty(b, h, n, d, dtype=q.dtype)
    for batch in range(b):
        for head in range(h):
            Q = q[batch, head].float()
            K = k[batch, head].float()
            V = v[batch, head].float()
            scores = Q @ K.T / math.sqrt(d)
            weights = torch.softmax(scores, dim=0)
            out[batch, head] = (weights @ V).to(q.dtype)
    return out
