"""Roles of heads by definition: one sequence at a time, the weights picked by position."""

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
        i = torch.arange(n)
        scores[:, 0] += w[:, i[1:], i[1:] - 1].sum(-1) / (b * max(n - 1, 1))
        scores[:, 1] += w[:, i[:-1], i[:-1] + 1].sum(-1) / (b * max(n - 1, 1))
        scores[:, 2] += w[:, i, 0].sum(-1) / (b * n)
        scores[:, 3] += w[:, i, i].sum(-1) / (b * n)
        scores[:, 4] += w[:, i, rarest].sum(-1) / (b * n)
    return scores.to(weights.dtype)
