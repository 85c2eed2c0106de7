"""Linear attention by its definition: all pairs, weighted by the product of their features."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import elu


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    n: int = 4,
    m: int | None = None,
    d: int = 8,
    causal: bool | None = None,
) -> dict[str, np.ndarray | bool]:
    """q: (b, h, n, d); k, v: (b, h, m, d), with m = n if causal.

    A causal of None is left out: the default is used.
    """
    m = n if causal or m is None else m
    inputs: dict[str, np.ndarray | bool] = {
        "q": rng.standard_normal((b, h, n, d)),
        "k": rng.standard_normal((b, h, m, d)),
        "v": rng.standard_normal((b, h, m, d)),
    }
    return inputs if causal is None else inputs | {"causal": causal}


def solve(q: Tensor, k: Tensor, v: Tensor, causal: bool = False) -> Tensor:
    """o: (b, h, n, d), in the dtype of q."""
    weights = (elu(q) + 1) @ (elu(k) + 1).transpose(-2, -1)
    if causal:
        weights = torch.tril(weights)
    return weights @ v / weights.sum(dim=-1, keepdim=True)
