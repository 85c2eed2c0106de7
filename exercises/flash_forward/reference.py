"""What FlashAttention computes, by its definition: the whole score matrix at once."""

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
    n: int = 4,
    m: int = 4,
    d: int = 8,
    block: int = 2,
    causal: bool | None = None,
    low: bool = False,
) -> dict[str, np.ndarray | int | bool]:
    """q: (b, h, n, d); k, v: (b, h, m, d). A causal of None is left out: the default is used.

    With ``low`` all scores lie around -LOW_SCORES.
    """
    apart = LOW_SCORES**0.5 / d**0.25 if low else 0.0
    inputs: dict[str, np.ndarray | int | bool] = {
        "q": rng.standard_normal((b, h, n, d)) + apart,
        "k": rng.standard_normal((b, h, m, d)) - apart,
        "v": rng.standard_normal((b, h, m, d)),
        "block": block,
    }
    return inputs if causal is None else inputs | {"causal": causal}


def solve(
    q: Tensor, k: Tensor, v: Tensor, block: int, causal: bool = False
) -> tuple[Tensor, Tensor]:
    """o: (b, h, n, d), in the dtype of q; lse: (b, h, n), float32 or wider. block is not used."""
    n, d = q.shape[-2:]
    m = k.shape[-2]
    scores = q @ k.transpose(-2, -1) / d**0.5
    visible = torch.ones(n, m, dtype=torch.bool)
    if causal:
        i, j = torch.arange(n)[:, None], torch.arange(m)
        visible = j <= i + m - n
    scores = scores.masked_fill(~visible, -torch.inf)
    # A row that sees nothing is softmax of only -inf, which is NaN: its weights are zero.
    o = torch.softmax(scores, dim=-1).masked_fill(~visible, 0) @ v
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    return o, torch.logsumexp(scores, dim=-1).to(wide)
