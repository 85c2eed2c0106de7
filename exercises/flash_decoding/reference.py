"""What split decoding has to give: attention of one query over all keys at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator, b: int = 1, h: int = 1, m: int = 4, d: int = 8, splits: int = 2
) -> dict[str, np.ndarray | int]:
    """q: (b, h, 1, d); k, v: (b, h, m, d)."""
    return {
        "q": rng.standard_normal((b, h, 1, d)),
        "k": rng.standard_normal((b, h, m, d)),
        "v": rng.standard_normal((b, h, m, d)),
        "splits": splits,
    }


def solve(q: Tensor, k: Tensor, v: Tensor, splits: int) -> Tensor:
    """o: (b, h, 1, d), in the dtype of q. splits is not used."""
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    return torch.softmax(scores, dim=-1) @ v
