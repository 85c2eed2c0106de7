"""Rotary position embedding by its definition: every pair of numbers is turned by its angle."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    n: int = 4,
    half: int = 4,
    places: str = "from_zero",
    base: float | None = None,
) -> dict[str, np.ndarray | float]:
    """x: (b, h, n, 2*half); positions: (n,). A base of None is left out: the default is used."""
    positions = np.arange(n)
    if places == "offset":
        positions = positions + int(rng.integers(200, 400))
    elif places == "scattered":
        positions = rng.integers(0, 600, n)
    inputs: dict[str, np.ndarray | float] = {
        "x": rng.standard_normal((b, h, n, 2 * half)),
        "positions": positions,
    }
    return inputs if base is None else inputs | {"base": base}


def solve(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """y: (b, h, n, d), in the dtype of x."""
    d = x.shape[-1]
    # Angles of thousands of radians need more digits than half precision has.
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    y = torch.empty_like(x)
    for i in range(d // 2):
        angle = positions.to(wide) * base ** (-2 * i / d)
        cos, sin = torch.cos(angle).to(x.dtype), torch.sin(angle).to(x.dtype)
        first, second = x[..., 2 * i], x[..., 2 * i + 1]
        y[..., 2 * i] = first * cos - second * sin
        y[..., 2 * i + 1] = first * sin + second * cos
    return y


def allowance(x: Tensor, positions: Tensor, base: float = 10000.0) -> np.ndarray:
    """(b, h, n, d): by how much angles in float32 may turn a pair too far.

    The exponent 2*i/d, the power of the base, its inverse and the product with the position are
    each rounded; what the exponent loses counts log(base) times.
    """
    d = x.shape[-1]
    frequency = base ** (-np.arange(0, d, 2) / d)
    angle = np.abs(positions.double().numpy()[:, None]) * frequency
    off = angle * (2 + np.log(base)) * 2.0**-23
    length = x.double().unflatten(-1, (-1, 2)).norm(dim=-1).numpy()
    return np.repeat(length * off, 2, axis=-1)
