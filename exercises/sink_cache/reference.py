"""A streaming cache by its definition: of all tokens so far, the first and the latest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor


class SinkCache:
    """Keeps every token and looks at those that are to be seen."""

    def __init__(self, batch: int, heads: int, head_dim: int, sinks: int, window: int) -> None:
        self.sinks = sinks
        self.window = window
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []

    def append(self, k: Tensor, v: Tensor) -> None:
        """k, v: (b, h, 1, d)."""
        self.keys.append(k)
        self.values.append(v)

    def attend(self, q: Tensor) -> Tensor:
        """q, o: (b, h, 1, d)."""
        count = len(self.keys)
        seen = [t for t in range(count) if t < self.sinks or t >= count - self.window]
        k = torch.cat([self.keys[t] for t in seen], dim=2)
        v = torch.cat([self.values[t] for t in seen], dim=2)
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        return torch.softmax(scores, dim=-1) @ v


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    n: int = 8,
    sinks: int = 2,
    window: int = 3,
    d: int = 8,
) -> dict[str, Any]:
    """q, k, v: (b, h, n, d), a stream of n tokens."""
    return {
        "q": rng.standard_normal((b, h, n, d)),
        "k": rng.standard_normal((b, h, n, d)),
        "v": rng.standard_normal((b, h, n, d)),
        "sinks": sinks,
        "window": window,
        "order": int(rng.integers(0, 2**31)),
    }


def drive(
    api: Any, q: Tensor, k: Tensor, v: Tensor, sinks: int, window: int, order: int
) -> Iterator[tuple[str, Any]]:
    """The stream token by token, attended from after most of them and after the last."""
    b, h, n, d = k.shape
    rng = np.random.default_rng(order)
    with api.ahead():
        cache = api.SinkCache(b, h, d, sinks, window)
        for t in range(n):
            cache.append(k[:, :, t : t + 1], v[:, :, t : t + 1])
            if rng.integers(0, 3) or t == n - 1:
                yield "o", cache.attend(q[:, :, t : t + 1])


def cost(
    api: Any, q: Tensor, k: Tensor, v: Tensor, sinks: int, window: int, order: int
) -> Iterator[tuple[str, Any]]:
    """A whole stream, then its last token once more and attention from that."""
    b, h, n, d = k.shape
    with api.ahead():
        with api.meter("stream"):
            cache = api.SinkCache(b, h, d, sinks, window)
            for t in range(n):
                cache.append(k[:, :, t : t + 1], v[:, :, t : t + 1])
        with api.meter("append"):
            cache.append(k[:, :, n - 1 :], v[:, :, n - 1 :])
        with api.meter("attend"):
            o = cache.attend(q[:, :, n - 1 :])
        yield "o", o
