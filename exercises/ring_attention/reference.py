"""Ring attention by its result: attention over the whole sequence, cut into shards again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


def ring_attention(
    q_shards: Sequence[Tensor],
    k_shards: Sequence[Tensor],
    v_shards: Sequence[Tensor],
    causal: bool = False,
) -> list[Tensor]:
    """o by rank, each (b, h, s, d)."""
    q, k, v = (torch.cat(list(shards), dim=2) for shards in (q_shards, k_shards, v_shards))
    n = q.shape[2]
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if causal:
        future = torch.ones(n, n, dtype=torch.bool).triu(1)
        scores = scores.masked_fill(future, -torch.inf)
    return list((torch.softmax(scores, dim=-1) @ v).split(q_shards[0].shape[2], dim=2))


LOW_SCORES = 1000.0
"""How far below 0 the scores lie with ``low``: below any finite number that looks low enough."""


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    ranks: int = 2,
    s: int = 2,
    d: int = 8,
    causal: bool | None = None,
    n: int = 0,
    low: bool = False,
) -> dict[str, Any]:
    """q, k, v: (b, h, ranks*s, d), or (b, h, n, d); s tokens a rank. A causal of None is left
    out, so that the default is used. With ``low`` all scores lie around -LOW_SCORES."""
    length = n or ranks * s
    inputs: dict[str, Any] = {
        name: rng.standard_normal((b, h, length, d)) for name in ("q", "k", "v")
    }
    if low:
        apart = LOW_SCORES**0.5 / d**0.25
        inputs |= {"q": inputs["q"] + apart, "k": inputs["k"] - apart}
    return inputs | {"s": s} | ({} if causal is None else {"causal": causal})


def drive(
    api: Any, q: Tensor, k: Tensor, v: Tensor, s: int, *causal: bool
) -> Iterator[tuple[str, Any]]:
    """One call with lists of shards by rank; a list of outputs by rank."""
    with api.ahead(), api.meter("ring"):
        o = api.ring_attention(_shards(q, s), _shards(k, s), _shards(v, s), *causal)
    yield "o", o


def _shards(x: Tensor, s: int) -> list[Tensor]:
    return list(x.split(s, dim=2))
