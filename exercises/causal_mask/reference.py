"""Causal attention by its definition: score, hide the future, normalise, average."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator, b: int = 1, h: int = 1, n: int = 4, m: int = 4, d: int = 8
) -> dict[str, np.ndarray]:
    """q: (b, h, n, d); k, v: (b, h, m, d)."""
    return {
        "q": rng.standard_normal((b, h, n, d)),
        "k": rng.standard_normal((b, h, m, d)),
        "v": rng.standard_normal((b, h, m, d)),
    }


def solve(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """o: (b, h, n, d), in the dtype of q."""
    n, d = q.shape[-2:]
    m = k.shape[-2]
    scores = q @ k.transpose(-2, -1) / d**0.5
    i, j = torch.arange(n)[:, None], torch.arange(m)
    visible = j <= i + m - n
    weights = torch.softmax(scores.masked_fill(~visible, -torch.inf), dim=-1)
    # A row that sees nothing is softmax of only -inf, which is NaN: its weights are zero.
    return weights.masked_fill(~visible, 0) @ v
