"""Products with masks of ones, einsum over all of the weights."""

import torch


def head_roles(weights, token_freq):
    b, h, n, _ = weights.shape
    w = weights.float()
    i = torch.arange(n)
    prev = (i[:, None] - i[None] == 1).float()
    nxt = prev.T
    cols = []
    for mask, rows in ((prev, n - 1), (nxt, n - 1)):
        s = torch.einsum("bhij,ij->h", w, mask)
        cols.append(s / (b * rows) if rows else torch.zeros(h))
    cols.append(w[:, :, :, 0].mean((0, 2)))
    cols.append(torch.einsum("bhii->h", w) / (b * n))
    rare = torch.zeros(b, n)
    rare[torch.arange(b), token_freq.argmin(1)] = 1
    cols.append(torch.einsum("bhij,bj->h", w, rare) / (b * n))
    return torch.stack(cols, 1).to(weights.dtype)
