"""Roles of heads by definition: one sequence, one row, one weight at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    n: int = 4,
    causal: bool = False,
    counts: int = 1000,
) -> dict[str, np.ndarray]:
    """weights: (b, h, n, n), rows add up to 1; token_freq: (b, n), from 1 to ``counts``."""
    raised = np.exp(rng.standard_normal((b, h, n, n)) * 1.5)
    if causal:
        raised = np.tril(raised)
    return {
        "weights": raised / raised.sum(axis=-1, keepdims=True),
        "token_freq": rng.integers(1, counts + 1, (b, n)),
    }


def solve(weights: Tensor, token_freq: Tensor) -> Tensor:
    """scores: (h, 5): previous, next, first, diagonal, rare."""
    b, h, n, _ = weights.shape
    wide = torch.float64 if weights.dtype == torch.float64 else torch.float32
    scores = torch.zeros(h, 5, dtype=wide)
    for sequence in range(b):
        w = weights[sequence].to(wide)
        counts = token_freq[sequence].tolist()
        rarest = counts.index(min(counts))
        for i in range(n):
            if i >= 1:
                scores[:, 0] += w[:, i, i - 1] / (b * (n - 1))
            if i < n - 1:
                scores[:, 1] += w[:, i, i + 1] / (b * (n - 1))
            scores[:, 2] += w[:, i, 0] / (b * n)
            scores[:, 3] += w[:, i, i] / (b * n)
            scores[:, 4] += w[:, i, rarest] / (b * n)
    return scores.to(weights.dtype)
