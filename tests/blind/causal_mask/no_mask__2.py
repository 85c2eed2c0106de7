# slip: line 14
import math

import torch


def causal_attention(q, k, v):
    b, h, n, d = q.shape
    m = k.shape[2]
    acc = torch.float64 if q.dtype == torch.float64 else torch.float32
    q3 = q.reshape(b * h, n, d).to(acc)
    k3 = k.reshape(b * h, m, d).to(acc)
    v3 = v.reshape(b * h, m, d).to(acc)
    s = torch.bmm(q3, k3.mT) / math.sqrt(d)
    w = s.softmax(-1)
    if n > m:
        w[:, : n - m] = 0
    return torch.bmm(w, v3).reshape(b, h, n, d).to(q.dtype)
