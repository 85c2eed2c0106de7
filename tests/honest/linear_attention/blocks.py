"""All chunks at once: their states by a cumulative sum over chunks of d tokens."""

import torch
from torch.nn.functional import pad


def phi(x):
    return torch.where(x > 0, x + 1, x.exp())


def linear_attention(q, k, v, causal=False):
    fq, fk, fv = phi(q.float()), phi(k.float()), v.float()
    if not causal:
        kv = torch.einsum("bhjd,bhje->bhde", fk, fv)
        return (torch.einsum("bhid,bhde->bhie", fq, kv) / (fq @ fk.sum(2)[..., None])).to(q.dtype)
    b, h, n, d = q.shape
    c = max(d, 1)
    extra = -n % c
    Q, K, V = (pad(t, (0, 0, 0, extra)).unflatten(2, (-1, c)) for t in (fq, fk, fv))
    S = torch.cumsum(K.mT @ V, 2) - K.mT @ V
    z = torch.cumsum(K.sum(3), 2) - K.sum(3)
    A = (Q @ K.mT).tril()
    num = Q @ S + A @ V
    den = Q @ z[..., None] + A.sum(-1, keepdim=True)
    return (num / den).flatten(2, 3)[:, :, :n].to(q.dtype)
