"""Keys outside, all queries inside, one key at a time with a running maximum."""

import torch


def attention(q, k, v):
    m = k.shape[2]
    qf = q.float() * q.shape[-1] ** -0.5
    top = torch.full(q.shape[:3] + (1,), -torch.inf)
    den = torch.zeros_like(top)
    num = torch.zeros(q.shape)
    for j in range(m):
        kj, vj = k[:, :, j : j + 1].float(), v[:, :, j : j + 1].float()
        s = (qf * kj).sum(-1, keepdim=True)
        new = torch.maximum(top, s)
        c = torch.exp(top - new)
        e = torch.exp(s - new)
        num = num * c + e * vj
        den = den * c + e
        top = new
    return (num / den).to(q.dtype)
