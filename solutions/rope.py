"""Rotary position embedding in the pairing of the paper."""

import torch


def rope(x: torch.Tensor, positions: torch.Tensor, base: float = 10000.0) -> torch.Tensor:
    """Queries or keys, turned according to their positions.

    x         (b, h, n, d), d even
    positions (n,), integers
    base      pair i of d/2, the columns 2*i and 2*i + 1, turns by base**(-2*i/d) a position
    returns   (b, h, n, d), in the dtype of x

    Cost: six operations a pair, 3*b*h*n*d, and n*d for the angles, shared by batch and heads.
    Beyond the result two halves are live, 4*b*h*n*d bytes in float32, and the angles.
    """
    d = x.shape[-1]

    # Positions in the thousands times frequencies: in bfloat16, with 8 bits, neighbours would
    # get the same angle. So angles are float32, and only cosine and sine take the dtype of x.
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    frequency = base ** -(torch.arange(0, d, 2, dtype=wide, device=x.device) / d)
    angle = positions[:, None] * frequency
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)

    # Each pair is a point in the plane. Two points turned by i and j angles have a product that
    # depends on i - j alone: that is the whole idea.
    even, odd = x[..., 0::2], x[..., 1::2]
    y = torch.empty_like(x)
    y[..., 0::2] = even * cos - odd * sin
    y[..., 1::2] = even * sin + odd * cos
    return y
