"""Multi-head attention by its definition: one head after another, then the output projection."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    n: int = 4,
    model: int = 8,
    h: int = 2,
    d: int = 4,
    causal: bool | None = None,
) -> dict[str, np.ndarray | int | bool]:
    """x: (b, n, model); w_q, w_k, w_v: (model, h*d); w_o: (h*d, model).

    Weights are small enough for projections of variance 1. A causal of None is left out.
    """

    def weight(rows: int, columns: int) -> np.ndarray:
        return rng.standard_normal((rows, columns)) * rows**-0.5

    inputs: dict[str, np.ndarray | int | bool] = {
        "x": rng.standard_normal((b, n, model)),
        "w_q": weight(model, h * d),
        "w_k": weight(model, h * d),
        "w_v": weight(model, h * d),
        "w_o": weight(h * d, model),
        "heads": h,
    }
    return inputs if causal is None else inputs | {"causal": causal}


def solve(
    x: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    w_o: Tensor,
    heads: int,
    causal: bool = False,
) -> Tensor:
    """y: (b, n, model), in the dtype of x."""
    n = x.shape[1]
    d = w_q.shape[1] // heads
    found = []
    for head in range(heads):
        own = slice(head * d, (head + 1) * d)
        q, k, v = x @ w_q[:, own], x @ w_k[:, own], x @ w_v[:, own]
        scores = q @ k.transpose(-2, -1) / d**0.5
        if causal:
            future = torch.arange(n) > torch.arange(n)[:, None]
            scores = scores.masked_fill(future, -torch.inf)
        found.append(torch.softmax(scores, dim=-1) @ v)
    return torch.cat(found, dim=-1) @ w_o
