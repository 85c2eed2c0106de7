"""Maximum and sum of exponentials by their definition, over everything at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Partial = tuple[float, float]


def online_softmax(blocks: Sequence[np.ndarray]) -> Partial:
    """(max, sum of exp(x - max)) over all blocks."""
    if not blocks:
        return -np.inf, 0.0
    x = np.concatenate(list(blocks))
    top = x.max()
    return (-np.inf, 0.0) if np.isneginf(top) else (top, np.exp(x - top).sum())


def merge(a: Partial, b: Partial) -> Partial:
    """The partial result of what a and b were made from."""
    top = max(a[0], b[0])
    if np.isneginf(top):
        return -np.inf, 0.0
    return top, sum(total * np.exp(own - top) for own, total in (a, b))


def make_inputs(
    rng: np.random.Generator,
    n: int = 8,
    most: int = 3,
    fill: str = "normal",
    blocks: int = 0,
    size: int = 0,
) -> dict[str, Any]:
    """x: (n,), to be cut into blocks of at most `most` numbers; or (blocks*size,), to be cut
    into blocks of that size.

    fill says what is special: ``negative`` (all below 0), ``rising`` and ``falling`` (a new
    maximum in each block or never), ``neg_inf`` (half of it is -inf), ``neg_inf_start`` (the
    first half is) and ``all_neg_inf``.
    """
    x = rng.standard_normal(blocks * size or n)
    if fill == "negative":
        x = -np.abs(x) - 0.5
    elif fill in ("rising", "falling"):
        x = np.sort(x) if fill == "rising" else -np.sort(x)
    elif fill == "neg_inf":
        x[rng.random(len(x)) < 0.5] = -np.inf
    elif fill == "neg_inf_start":
        x[: len(x) // 2 + 1] = -np.inf
    elif fill == "all_neg_inf":
        x[:] = -np.inf
    return {"x": x, "most": most, "size": size, "order": int(rng.integers(0, 2**31))}


def drive(api: Any, x: np.ndarray, most: int, size: int, order: int) -> Iterator[tuple[str, Any]]:
    """Everything in blocks, then in three parts that are merged in several orders."""
    rng = np.random.default_rng(order)
    yield "one_pass", _numbers(api.online_softmax(_cut(x, most, rng)))
    first, second = sorted(int(place) for place in rng.integers(0, len(x) + 1, 2))
    a, b, c = (
        _numbers(api.online_softmax(_cut(part, most, rng)))
        for part in (x[:first], x[first:second], x[second:])
    )
    yield "merged", _numbers(api.merge(a, b))
    yield "merged", _numbers(api.merge(b, a))
    yield "merged", _numbers(api.merge(_numbers(api.merge(a, b)), c))
    yield "merged", _numbers(api.merge(a, _numbers(api.merge(b, c))))


def cost(api: Any, x: np.ndarray, most: int, size: int, order: int) -> Iterator[tuple[str, Any]]:
    """One pass over blocks of one size."""
    blocks = [x[start : start + size] for start in range(0, len(x), size)]
    with api.meter("one_pass"):
        found = api.online_softmax(blocks)
    yield "one_pass", _numbers(found)


def _cut(x: np.ndarray, most: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Blocks of 1 to `most` numbers."""
    blocks, start = [], 0
    while start < len(x):
        end = start + int(rng.integers(1, most + 1))
        blocks.append(x[start:end])
        start = end
    return blocks


def _numbers(partial: Any) -> tuple[float, ...]:
    """A partial result as plain numbers, which can be passed on; 0-d arrays are numbers too."""
    return tuple(float(value) for value in partial)
