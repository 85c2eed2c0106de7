"""Grouped-query attention by its definition: head by head, each with the keys of its group."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    g: int = 2,
    r: int = 2,
    n: int = 4,
    m: int = 4,
    d: int = 8,
) -> dict[str, np.ndarray]:
    """q: (b, g*r, n, d); k, v: (b, g, m, d)."""
    return {
        "q": rng.standard_normal((b, g * r, n, d)),
        "k": rng.standard_normal((b, g, m, d)),
        "v": rng.standard_normal((b, g, m, d)),
    }


def solve(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """o: (b, h, n, d), in the dtype of q."""
    h, d = q.shape[1], q.shape[-1]
    r = h // k.shape[1]
    heads = []
    for head in range(h):
        group = head // r
        scores = q[:, head] @ k[:, group].transpose(-2, -1) / d**0.5
        heads.append(torch.softmax(scores, dim=-1) @ v[:, group])
    return torch.stack(heads, dim=1)
