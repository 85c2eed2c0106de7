"""What chunked prefill has to give: causal attention over the whole prompt at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator, b: int = 1, h: int = 1, n: int = 4, d: int = 8, chunk: int = 2
) -> dict[str, np.ndarray | int]:
    """q, k, v: (b, h, n, d)."""
    return {
        "q": rng.standard_normal((b, h, n, d)),
        "k": rng.standard_normal((b, h, n, d)),
        "v": rng.standard_normal((b, h, n, d)),
        "chunk": chunk,
    }


def solve(q: Tensor, k: Tensor, v: Tensor, chunk: int) -> Tensor:
    """o: (b, h, n, d), in the dtype of q. chunk is not used."""
    n, d = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) / d**0.5
    future = torch.arange(n) > torch.arange(n)[:, None]
    return torch.softmax(scores.masked_fill(future, -torch.inf), dim=-1) @ v
