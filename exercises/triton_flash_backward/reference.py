"""The gradients of attention from o and lse, by the formulas: all weights at once."""

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
    block: int = 16,
    causal: bool | None = None,
    low: bool = False,
) -> dict[str, np.ndarray | int | bool]:
    """q, o, grad_o: (b, h, n, d); k, v: (b, h, m, d); lse: (b, h, n), -inf where nothing is seen.

    o and lse are what the forward pass gives. A causal of None is left out. With ``low`` all
    scores lie around -200, so that exp(-lse), what a key that does not exist would weigh, is
    infinite in float32.
    """
    apart = (200 / d**0.5) ** 0.5 if low else 0.0
    q = rng.standard_normal((b, h, n, d)) + apart
    k = rng.standard_normal((b, h, m, d)) - apart
    v = rng.standard_normal((b, h, m, d))
    scores = q @ k.swapaxes(-2, -1) / d**0.5
    if causal:
        scores[..., np.arange(m) > np.arange(n)[:, None] + m - n] = -np.inf
    exponentials = np.exp(scores)  # float64 has room for both ends
    total = exponentials.sum(axis=-1)
    with np.errstate(divide="ignore"):
        lse = np.log(total)
    inputs: dict[str, np.ndarray | int | bool] = {
        "q": q,
        "k": k,
        "v": v,
        "o": exponentials @ v / np.where(total == 0, 1, total)[..., None],
        "lse": lse,
        "grad_o": rng.standard_normal((b, h, n, d)),
        "block": block,
    }
    return inputs if causal is None else inputs | {"causal": causal}


def solve(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    o: Tensor,
    lse: Tensor,
    grad_o: Tensor,
    block: int,
    causal: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """dq: (b, h, n, d); dk, dv: (b, h, m, d). block is not used."""
    n, d = q.shape[-2:]
    m = k.shape[-2]
    scores = q @ k.transpose(-2, -1) / d**0.5
    visible = torch.ones(n, m, dtype=torch.bool)
    if causal:
        visible = torch.arange(m) <= torch.arange(n)[:, None] + m - n
    # Where nothing is seen lse is -inf, and the exponential has no value: the weights are zero.
    p = torch.exp(scores - lse[..., None]).masked_fill(~visible, 0)
    dv = p.transpose(-2, -1) @ grad_o
    dp = grad_o @ v.transpose(-2, -1)
    ds = p * (dp - (o * grad_o).sum(dim=-1, keepdim=True))
    return ds @ k / d**0.5, ds.transpose(-2, -1) @ q / d**0.5, dv
