"""A KV cache by its definition: keep every key and value, attend over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor


class KVCache:
    """Keeps what it is given in lists; nothing is ever overwritten."""

    def __init__(
        self, batch: int, heads: int, head_dim: int, max_len: int, dtype: torch.dtype
    ) -> None:
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []

    def append(self, k: Tensor, v: Tensor) -> None:
        """k, v: (b, h, t, d)."""
        self.keys.append(k)
        self.values.append(v)

    def attend(self, q: Tensor) -> Tensor:
        """q: (b, h, t, d), the queries of the last t tokens held; o: (b, h, t, d)."""
        k, v = torch.cat(self.keys, dim=2), torch.cat(self.values, dim=2)
        t, m = q.shape[2], k.shape[2]
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        future = torch.arange(m) > torch.arange(t)[:, None] + m - t
        return torch.softmax(scores.masked_fill(future, -torch.inf), dim=-1) @ v


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    m: int = 4,
    t: int = 1,
    d: int = 8,
    spare: int = 2,
) -> dict[str, Any]:
    """k, v, q: (b, h, m + t, d); spare slots are never written. m tokens come before the last t."""
    return {
        "k": rng.standard_normal((b, h, m + t, d)),
        "v": rng.standard_normal((b, h, m + t, d)),
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
        cache = api.KVCache(b, h, d, n + spare, k.dtype)
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
    """m tokens held, then t more appended and attended from."""
    b, h, n, d = k.shape
    with api.ahead():
        cache = api.KVCache(b, h, d, n + spare, k.dtype)
        cache.append(k[:, :, : n - t], v[:, :, : n - t])
        with api.meter("append"):
            cache.append(k[:, :, n - t :], v[:, :, n - t :])
        with api.meter("attend"):
            o = cache.attend(q[:, :, n - t :])
        yield "o", o
