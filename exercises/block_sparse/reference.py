"""Window plus global tokens by definition: all scores, then what is not visible is hidden."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    n: int = 4,
    window: int = 1,
    globals: int = 1,
    d: int = 8,
) -> dict[str, np.ndarray | int | list[int]]:
    """q, k, v: (b, h, n, d); global_tokens: a list of distinct positions in any order."""
    return {
        "q": rng.standard_normal((b, h, n, d)),
        "k": rng.standard_normal((b, h, n, d)),
        "v": rng.standard_normal((b, h, n, d)),
        "window": window,
        "global_tokens": rng.choice(n, globals, replace=False).tolist(),
    }


def solve(q: Tensor, k: Tensor, v: Tensor, window: int, global_tokens: list[int]) -> Tensor:
    """o: (b, h, n, d), in the dtype of q."""
    n, d = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) / d**0.5
    is_global = torch.zeros(n, dtype=torch.bool)
    is_global[[int(position) for position in global_tokens]] = True
    near = (torch.arange(n)[:, None] - torch.arange(n)).abs() <= window
    visible = near | is_global[:, None] | is_global
    return torch.softmax(scores.masked_fill(~visible, -torch.inf), dim=-1) @ v
