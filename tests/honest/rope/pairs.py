"""A loop over pairs with math functions, written into a clone."""

import torch


def rope(x, positions, base=10000.0):
    y = x.clone()
    d = x.size(-1)
    for i in range(d // 2):
        a = positions.float() * base ** (-2 * i / d)
        c, s = torch.cos(a)[:, None], torch.sin(a)[:, None]
        p, r = x[..., 2 * i : 2 * i + 1].float(), x[..., 2 * i + 1 : 2 * i + 2].float()
        y[..., 2 * i : 2 * i + 1] = (p * c - r * s).to(x.dtype)
        y[..., 2 * i + 1 : 2 * i + 2] = (p * s + r * c).to(x.dtype)
    return y
