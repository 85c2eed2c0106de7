"""Token by token, as the recurrent network that it is."""

import torch


def phi(x):
    return torch.exp(torch.minimum(x, torch.zeros_like(x))) + torch.relu(x)


def linear_attention(q, k, v, causal=False):
    dt = q.dtype
    q, k, v = phi(q.float()), phi(k.float()), v.float()
    if not causal:
        S = torch.einsum("bhmd,bhme->bhde", k, v)
        z = k.sum(2)
        return (
            torch.einsum("bhnd,bhde->bhne", q, S) / torch.einsum("bhnd,bhd->bhn", q, z)[..., None]
        ).to(dt)
    b, h, n, d = q.shape
    S = torch.zeros(b, h, d, d)
    z = torch.zeros(b, h, d)
    out = torch.empty(b, h, n, d)
    for i in range(n):
        S += k[:, :, i, :, None] * v[:, :, i, None, :]
        z += k[:, :, i]
        out[:, :, i] = (q[:, :, i, None] @ S).squeeze(2) / (q[:, :, i] * z).sum(-1, keepdim=True)
    return out.to(dt)
