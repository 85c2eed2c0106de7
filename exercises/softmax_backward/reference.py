"""The gradient of a softmax by its definition: the Jacobian of each row, times the gradient."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator, rows: int = 4, cols: int = 4, weights: str = "plain"
) -> dict[str, np.ndarray]:
    """p: (rows, cols), softmax of something, and grad_p: (rows, cols).

    ``masked`` rows hold zeros, one of them nothing else; ``saturated`` ones are nearly one-hot.
    """
    x = rng.standard_normal((rows, cols)) * (8.0 if weights == "saturated" else 1.0)
    p = np.exp(x - x.max(axis=-1, keepdims=True))
    if weights == "masked":
        p[rng.random((rows, cols)) < 0.4] = 0
        p[int(rng.integers(rows))] = 0
    total = p.sum(axis=-1, keepdims=True)
    return {
        "p": p / np.where(total == 0, 1, total),
        # Not around 0: then a forgotten sum would be small.
        "grad_p": rng.standard_normal((rows, cols)) + 1.0,
    }


def solve(p: Tensor, grad_p: Tensor) -> Tensor:
    """grad_x: (rows, cols), in the dtype of p."""
    jacobian = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    return (jacobian @ grad_p[:, :, None]).squeeze(-1)
