import math

import torch


def _bias(n, m, dtype, device):
    """0 where a query may look, -inf where it may not."""
    bias = torch.full((n, m), -math.inf, dtype=dtype, device=device)
    return bias.triu_(diagonal=m - n + 1)


def causal_attention(q, k, v):
    b, h, n, d = q.shape
    m = k.shape[2]
    acc = torch.float64 if q.dtype == torch.float64 else torch.float32
    q3 = q.reshape(b * h, n, d).to(acc)
    k3 = k.reshape(b * h, m, d).to(acc)
    v3 = v.reshape(b * h, m, d).to(acc)
    bias = _bias(n, m, acc, q.device)
    s = torch.baddbmm(bias.expand(b * h, n, m), q3, k3.mT, alpha=1 / math.sqrt(d))
    w = s.softmax(-1)
    if n > m:
        w[:, : n - m] = 0
    return torch.bmm(w, v3).reshape(b, h, n, d).to(q.dtype)
