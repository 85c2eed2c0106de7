"""Importance of heads and their removal, by definition: one head at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor


def head_importance(head_out: Tensor, grad: Tensor) -> Tensor:
    """(h,): the mean over tokens of |sum over d of output times gradient|."""
    terms = [(head_out[:, i] * grad[:, i]).sum(-1).abs().mean() for i in range(head_out.shape[1])]
    return torch.stack(terms)


def prune_heads(
    w_q: Tensor, w_k: Tensor, w_v: Tensor, w_o: Tensor, importance: Tensor, keep: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weights (D, h*d), (D, h*d), (D, h*d), (h*d, D) with `keep` heads left of h."""
    h = len(importance)
    kept = sorted(sorted(range(h), key=lambda i: -float(importance[i]))[:keep])
    d = w_q.shape[1] // h
    rows = [column for i in kept for column in range(i * d, (i + 1) * d)]
    return w_q[:, rows], w_k[:, rows], w_v[:, rows], w_o[rows]


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 4,
    n: int = 4,
    d: int = 2,
    model: int = 6,
    keep: int = 2,
    ties: bool = False,
) -> dict[str, Any]:
    """head_out, grad: (b, h, n, d); w_q, w_k, w_v: (model, h*d), w_o: (h*d, model).

    bits: (h,), the importances by which heads are pruned, float32 seen as int32: tolerances come
    from moving floating inputs by a rounding, and a tie moved by one is another question.

    With ``ties`` there are two importances. Equals lie side by side and have the same weights, so
    it makes no difference which of them are kept.
    """
    importance = rng.permutation(h) + rng.random()
    weights = rng.standard_normal((4, h, d, model))
    if ties:
        cut = rng.integers(0, h + 1)
        importance = np.where(np.arange(h) < cut, *rng.permutation([0.25, 0.5]))
        weights[:, :cut], weights[:, cut:] = weights[:, :1], weights[:, -1:]
    w_q, w_k, w_v, w_o = weights.reshape(4, h * d, model)
    return {
        "head_out": rng.standard_normal((b, h, n, d)),
        "grad": rng.standard_normal((b, h, n, d)),
        "w_q": w_q.T,
        "w_k": w_k.T,
        "w_v": w_v.T,
        "w_o": w_o,
        "bits": importance.astype(np.float32).view(np.int32),
        "keep": keep,
    }


def drive(
    api: Any,
    head_out: Tensor,
    grad: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    w_o: Tensor,
    bits: Tensor,
    keep: int,
) -> Iterator[tuple[str, Any]]:
    """Both functions; heads are pruned by importances that are given."""
    with api.ahead():
        with api.meter("importance"):
            found = api.head_importance(head_out, grad)
        yield "importance", found
        with api.meter("prune"):
            smaller = api.prune_heads(w_q, w_k, w_v, w_o, bits.view(torch.float32), keep)
        yield ("w_q", "w_k", "w_v", "w_o"), smaller
