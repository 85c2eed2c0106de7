"""A window of keys by index for each query, global columns beside it, masks by comparison."""

import torch


def longformer_attention(q, k, v, window, global_tokens):
    b, h, n, d = q.shape
    w = min(window, n)
    g = torch.as_tensor(list(global_tokens), dtype=torch.long).reshape(-1)
    at = torch.arange(n)[:, None] + torch.arange(-w, w + 1)
    isg = torch.zeros(n, dtype=torch.bool)
    isg[g] = True
    safe = at.clamp(0, n - 1)
    hide = (at < 0) | (at >= n) | isg[safe]
    near = (q.unsqueeze(-2) * k[:, :, safe]).sum(-1) / d**0.5
    near = near.masked_fill(hide, -torch.inf)
    far = q @ k[:, :, g].mT / d**0.5
    p = torch.softmax(torch.cat([far, near], -1), -1)
    o = p[..., : len(g)] @ v[:, :, g] + (p[..., len(g) :].unsqueeze(-1) * v[:, :, safe]).sum(-2)
    if len(g):
        o[:, :, g] = torch.softmax(q[:, :, g] @ k.mT / d**0.5, -1) @ v
    return o
