"""Cross-attention by its definition: one head after another, padded source positions hidden."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    n: int = 4,
    m: int = 4,
    model: int = 8,
    h: int = 2,
    d: int = 4,
    lengths: str = "some",
) -> dict[str, np.ndarray | int]:
    """x: (b, n, model); source: (b, m, model); weights as in multi_head; source_lengths: (b,).

    Lengths are all m (``full``), 1 to m (``some``), or the same with a source of nothing.
    """

    def weight(rows: int, columns: int) -> np.ndarray:
        return rng.standard_normal((rows, columns)) * rows**-0.5

    source_lengths = np.full(b, m) if lengths == "full" else rng.integers(1, m + 1, b)
    if lengths == "with_empty":
        source_lengths[int(rng.integers(b))] = 0
    return {
        "x": rng.standard_normal((b, n, model)),
        "source": rng.standard_normal((b, m, model)),
        "w_q": weight(model, h * d),
        "w_k": weight(model, h * d),
        "w_v": weight(model, h * d),
        "w_o": weight(h * d, model),
        "heads": h,
        "source_lengths": source_lengths,
    }


def solve(
    x: Tensor,
    source: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    w_o: Tensor,
    heads: int,
    source_lengths: Tensor,
) -> Tensor:
    """y: (b, n, model), in the dtype of x."""
    d = w_q.shape[1] // heads
    padded = torch.arange(source.shape[1]) >= source_lengths[:, None, None]
    found = []
    for head in range(heads):
        own = slice(head * d, (head + 1) * d)
        q, k, v = x @ w_q[:, own], source @ w_k[:, own], source @ w_v[:, own]
        scores = q @ k.transpose(-2, -1) / d**0.5
        weights = torch.softmax(scores.masked_fill(padded, -torch.inf), dim=-1)
        # A source of length 0 is softmax of only -inf, which is NaN: its weights are zero.
        found.append(weights.masked_fill(padded, 0) @ v)
    return torch.cat(found, dim=-1) @ w_o
