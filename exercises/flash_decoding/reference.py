"""What split decoding has to give: attention of one query over all keys at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

LOW_SCORES = 1000.0
"""How far below 0 the scores lie with ``low``: below any finite number that looks low enough."""


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    m: int = 4,
    d: int = 8,
    splits: int = 2,
    low: bool = False,
) -> dict[str, np.ndarray | int]:
    """q: (b, h, 1, d); k, v: (b, h, m, d). With ``low`` all scores lie around -LOW_SCORES."""
    apart = LOW_SCORES**0.5 / d**0.25 if low else 0.0
    return {
        "q": rng.standard_normal((b, h, 1, d)) + apart,
        "k": rng.standard_normal((b, h, m, d)) - apart,
        "v": rng.standard_normal((b, h, m, d)),
        "splits": splits,
    }


def solve(q: Tensor, k: Tensor, v: Tensor, splits: int) -> Tensor:
    """o: (b, h, 1, d), in the dtype of q. splits is not used."""
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    return torch.softmax(scores, dim=-1) @ v
