"""Attention over padded sequences by its definition: each sequence without its padding."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    n: int = 4,
    m: int = 4,
    d: int = 8,
    lengths: str = "some",
) -> dict[str, np.ndarray]:
    """q: (b, h, n, d); k, v: (b, h, m, d), also where they are padding; lengths: (b,).

    Lengths are all m (``full``), 1 to m (``some``), or the same with a sequence of nothing.
    """
    real = np.full(b, m) if lengths == "full" else rng.integers(1, m + 1, b)
    if lengths == "with_empty":
        real[int(rng.integers(b))] = 0
    return {
        "q": rng.standard_normal((b, h, n, d)),
        "k": rng.standard_normal((b, h, m, d)),
        "v": rng.standard_normal((b, h, m, d)),
        "lengths": real.astype(np.int64),
    }


def solve(q: Tensor, k: Tensor, v: Tensor, lengths: Tensor) -> Tensor:
    """o: (b, h, n, d), in the dtype of q."""
    found = []
    for own_q, own_k, own_v, length in zip(q, k, v, lengths.tolist(), strict=True):
        # Over no keys the product below is a sum of nothing: zeros, with gradients of zero.
        scores = own_q @ own_k[:, :length].transpose(-2, -1) / q.shape[-1] ** 0.5
        found.append(torch.softmax(scores, dim=-1) @ own_v[:, :length])
    return torch.stack(found)
