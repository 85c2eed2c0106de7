"""x*cos + rotated(x)*sin, with cos and sin repeated for each pair."""

import torch


def rotate(x):
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((-b, a), dim=-1).flatten(-2)


def rope(x, positions, base=10000.0):
    half = torch.arange(x.shape[-1] // 2, dtype=torch.float32)
    angle = positions.to(torch.float32)[:, None] * base ** (-2 * half / x.shape[-1])
    angle = angle.repeat_interleave(2, dim=-1)
    return (x.float() * angle.cos() + rotate(x.float()) * angle.sin()).to(x.dtype)
