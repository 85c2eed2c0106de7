"""Attention over packed documents by its definition: causal, and inside one's own document."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator, b: int = 1, h: int = 1, n: int = 4, d: int = 8, documents: int = 2
) -> dict[str, np.ndarray]:
    """q, k, v: (b, h, n, d); segments: (b, n), runs of distinct ids, cut at random places.

    A sequence shorter than ``documents`` holds one document a token.
    """
    documents = min(documents, n)
    segments = np.empty((b, n), dtype=np.int64)
    for row in segments:
        cuts = np.sort(rng.choice(n - 1, documents - 1, replace=False)) + 1
        ids = rng.permutation(3 * documents)[:documents]
        row[:] = np.repeat(ids, np.diff([0, *cuts, n]))
    return {
        "q": rng.standard_normal((b, h, n, d)),
        "k": rng.standard_normal((b, h, n, d)),
        "v": rng.standard_normal((b, h, n, d)),
        "segments": segments,
    }


def solve(q: Tensor, k: Tensor, v: Tensor, segments: Tensor) -> Tensor:
    """o: (b, h, n, d), in the dtype of q."""
    n, d = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) / d**0.5
    same = segments[:, None, :, None] == segments[:, None, None, :]
    past = torch.arange(n) <= torch.arange(n)[:, None]
    return torch.softmax(scores.masked_fill(~(same & past), -torch.inf), dim=-1) @ v
