"""Linear attention by its definition: all pairs, weighted by the product of their features."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    n: int = 4,
    m: int | None = None,
    d: int = 8,
    causal: bool | None = None,
    low: bool = False,
) -> dict[str, np.ndarray | bool]:
    """q: (b, h, n, d); k, v: (b, h, m, d), with m = n if causal.

    A causal of None is left out: the default is used. With ``low`` q and k lie around -30, where
    elu(x) + 1 is 0 in float32.
    """
    shift = 30.0 if low else 0.0
    m = n if causal or m is None else m
    inputs: dict[str, np.ndarray | bool] = {
        "q": rng.standard_normal((b, h, n, d)) - shift,
        "k": rng.standard_normal((b, h, m, d)) - shift,
        "v": rng.standard_normal((b, h, m, d)),
    }
    return inputs if causal is None else inputs | {"causal": causal}


def _features(x: Tensor) -> Tensor:
    """elu(x) + 1, which is exp(x) below 0."""
    return torch.where(x > 0, x + 1, torch.exp(x))


def solve(q: Tensor, k: Tensor, v: Tensor, causal: bool = False) -> Tensor:
    """o: (b, h, n, d), in the dtype of q."""
    weights = _features(q) @ _features(k).transpose(-2, -1)
    if causal:
        weights = torch.tril(weights)
    return weights @ v / weights.sum(dim=-1, keepdim=True)
