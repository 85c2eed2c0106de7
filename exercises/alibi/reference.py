"""ALiBi by its definition: scaled scores, minus slope times distance, causal softmax."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator, b: int = 1, h: int = 2, n: int = 4, m: int = 4, d: int = 8
) -> dict[str, np.ndarray]:
    """q: (b, h, n, d); k, v: (b, h, m, d)."""
    return {
        "q": rng.standard_normal((b, h, n, d)),
        "k": rng.standard_normal((b, h, m, d)),
        "v": rng.standard_normal((b, h, m, d)),
    }


def solve(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """o: (b, h, n, d), in the dtype of q."""
    h, n, d = q.shape[1:]
    m = k.shape[-2]
    scores = q @ k.transpose(-2, -1) / d**0.5
    distance = torch.arange(n)[:, None] + m - n - torch.arange(m)
    slopes = torch.tensor([2.0 ** (-8 * (head + 1) / h) for head in range(h)], dtype=torch.float64)
    bias = -slopes[:, None, None] * distance
    scores = (scores + bias.to(q.dtype)).masked_fill(distance < 0, -torch.inf)
    return torch.softmax(scores, dim=-1) @ v
