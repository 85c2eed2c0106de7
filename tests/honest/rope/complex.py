"""Pairs as complex numbers, turned by polar."""

import torch


def rope(x, positions, base=10000.0):
    d = x.shape[-1]
    freqs = 1.0 / (base ** (torch.arange(0, d, 2).float() / d))
    turn = torch.polar(torch.ones(len(positions), d // 2), torch.outer(positions.float(), freqs))
    z = torch.view_as_complex(x.float().contiguous().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(z * turn).flatten(-2).to(x.dtype)
