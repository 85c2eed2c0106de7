"""A 2 x 2 matrix for each position and pair."""

import torch


def rope(x, positions, base=10000.0):
    b, h, n, d = x.shape
    theta = positions.double().unsqueeze(1) * torch.pow(
        torch.tensor(base, dtype=torch.float64), -torch.arange(0, d, 2, dtype=torch.float64) / d
    )
    c, s = theta.cos(), theta.sin()
    R = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2).float()
    return (
        torch.einsum("npij,bhnpj->bhnpi", R, x.float().reshape(b, h, n, d // 2, 2))
        .reshape(b, h, n, d)
        .to(x.dtype)
    )
