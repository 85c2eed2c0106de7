"""einsum throughout, float32 inside, cast at the end, delta from o."""

import torch


def attention_backward(q, k, v, grad_o, causal=False):
    dt = q.dtype
    q, k, v, g = [t.to(torch.float32) for t in (q, k, v, grad_o)]
    n, m, d = q.shape[2], k.shape[2], q.shape[3]
    s = torch.einsum("bhid,bhjd->bhij", q, k) * d**-0.5
    if causal:
        vis = torch.arange(m)[None] <= torch.arange(n)[:, None] + m - n
        s = torch.where(vis, s, -torch.inf)
    e = torch.exp(s - s.amax(-1, keepdim=True).clamp(min=-1e30))
    z = e.sum(-1, keepdim=True)
    p = e / torch.where(z > 0, z, 1)
    o = torch.einsum("bhij,bhjd->bhid", p, v)
    dv = torch.einsum("bhij,bhid->bhjd", p, g)
    dp = torch.einsum("bhid,bhjd->bhij", g, v)
    ds = p * (dp - (o * g).sum(-1, keepdim=True)) * d**-0.5
    dq = torch.einsum("bhij,bhjd->bhid", ds, k)
    dk = torch.einsum("bhij,bhid->bhjd", ds, q)
    return dq.to(dt), dk.to(dt), dv.to(dt)
