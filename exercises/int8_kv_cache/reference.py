"""A KV cache that loses nothing, and what one in int8 may lose.

Within half a scale of each number that is stored, everything is right. How far off that leaves
the output follows from the definition of attention, entry by entry: see `Losses`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

HALF = 0.501
"""Half a scale, and a little for a scale that is itself kept in half precision."""


class Int8KVCache:
    """Keeps keys and values as they are."""

    def __init__(self, batch: int, heads: int, head_dim: int, max_len: int) -> None:
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []

    def append(self, k: Tensor, v: Tensor) -> None:
        """k, v: (b, h, t, d)."""
        self.keys.append(k)
        self.values.append(v)

    def attend(self, q: Tensor) -> Tensor:
        """q: (b, h, t, d), the queries of the last t tokens held; o: (b, h, t, d)."""
        return self._weights(q) @ torch.cat(self.values, dim=2)

    def _weights(self, q: Tensor) -> Tensor:
        k = torch.cat(self.keys, dim=2)
        t, m = q.shape[2], k.shape[2]
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        future = torch.arange(m) > torch.arange(t)[:, None] + m - t
        return torch.softmax(scores.masked_fill(future, -torch.inf), dim=-1)


class Losses(Int8KVCache):
    """Its attention gives the largest error that rounding in int8 explains."""

    def append(self, k: Tensor, v: Tensor) -> None:
        super().append(k.double(), v.double())

    def attend(self, q: Tensor) -> Tensor:
        """(b, h, t, d), by entry of o.

        A score is off by at most e, half a scale of its key times the sum of |q|. Weights p
        become p*exp(+-e) divided by their sum z, so o moves by sum p*(exp(e) - 1)*|v - o| / z;
        values that are off themselves add sum p*exp(e)*(half a scale) / z.
        """
        q = q.double()
        weights, values = self._weights(q), torch.cat(self.values, dim=2)
        per_key = _half_scale(torch.cat(self.keys, dim=2)).transpose(-2, -1)
        e = q.abs().sum(-1, keepdim=True) * per_key / q.shape[-1] ** 0.5
        least = (weights * torch.exp(-e)).sum(-1, keepdim=True)
        o = weights @ values
        spread = (values[:, :, None] - o[:, :, :, None]).abs()
        moved = ((weights * torch.expm1(e))[..., None] * spread).sum(-2)
        return (moved + (weights * torch.exp(e)) @ _half_scale(values)) / least


def _half_scale(x: Tensor) -> Tensor:
    """(b, h, m, 1): half the scale of each token and head."""
    return x.abs().amax(-1, keepdim=True) / 127 * HALF


ALLOWANCE = {"Int8KVCache": Losses}


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    m: int = 4,
    t: int = 1,
    d: int = 8,
    spare: int = 2,
) -> dict[str, Any]:
    """k, v, q: (b, h, m + t, d); spare slots are never written.

    Tokens and heads differ in size, by up to a factor of 16, and some are zero: one of the first
    head always is, if there are two.
    """

    def tokens() -> np.ndarray:
        size = 2.0 ** rng.uniform(-3, 1, (b, h, m + t, 1))
        size[rng.random(size.shape) < 0.05] = 0
        if m + t > 1:
            size[:, 0, rng.integers(m + t)] = 0
        return rng.standard_normal((b, h, m + t, d)) * size

    return {
        "k": tokens(),
        "v": tokens(),
        "q": rng.standard_normal((b, h, m + t, d)),
        "t": t,
        "spare": spare,
        "order": int(rng.integers(0, 2**31)),
    }


def drive(
    api: Any, k: Tensor, v: Tensor, q: Tensor, t: int, spare: int, order: int
) -> Iterator[tuple[str, Any]]:
    """Appends of several lengths, interleaved with attention over the latest tokens."""
    b, h, n, d = k.shape
    rng = np.random.default_rng(order)
    with api.ahead():
        cache = api.Int8KVCache(b, h, d, n + spare)
        end = 0
        while end < n:
            start, end = end, min(n, end + int(rng.integers(1, t + 2)))
            cache.append(k[:, :, start:end], v[:, :, start:end])
            if rng.integers(0, 3) or end == n:
                # As many queries as the last append had tokens, or as many as there are so far.
                first = start if rng.integers(0, 2) else max(0, end - t)
                yield "o", cache.attend(q[:, :, first:end])


def cost(
    api: Any, k: Tensor, v: Tensor, q: Tensor, t: int, spare: int, order: int
) -> Iterator[tuple[str, Any]]:
    """m tokens, and attention from the last t of them."""
    b, h, n, d = k.shape
    m = n - t
    with api.ahead():
        with api.meter("hold"):
            cache = api.Int8KVCache(b, h, d, m)
            for start in range(0, m, m // 2):
                cache.append(k[:, :, start : start + m // 2], v[:, :, start : start + m // 2])
        with api.meter("attend"):
            o = cache.attend(q[:, :, m - t : m])
        yield "o", o
