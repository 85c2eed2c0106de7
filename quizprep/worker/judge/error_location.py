"""Where an output is wrong, in words, along the axes that the exercise names.

It reports only what the numbers show: indices along an axis, a shape that is a permutation of the
right one, a constant factor, NaN. Naming the mistake is left to `diagnosis`.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import permutations

import numpy as np

from quizprep.worker.judge.comparison import Allowed, wrong

MAX_SHOWN = 6


class Detail(enum.IntEnum):
    """How much a message says beyond that something is wrong."""

    NOTHING = 0
    REGION = 1
    FACTOR = 2


def shape_slip(axes: Sequence[str], right: Sequence[int], got: Sequence[int]) -> str:
    """What is wrong with a shape that is not the right one."""
    want = f"({', '.join(axes)}) = {tuple(right)}"
    if len(got) == len(right):
        for order in permutations(range(len(right))):
            turned = tuple(right[axis] for axis in order)
            if turned == tuple(got) and order != tuple(range(len(right))):
                names = ", ".join(axes[axis] for axis in order)
                return f"the shape is {tuple(got)}, which is ({names}); it should be {want}"
    if sorted(_real(got)) == sorted(_real(right)) and len(got) != len(right):
        return f"the shape is {tuple(got)}: an axis of size 1 too many or too few; want {want}"
    return f"the shape is {tuple(got)}; it should be {want}"


def _real(shape: Sequence[int]) -> list[int]:
    return [size for size in shape if size != 1]


def locate(
    name: str,
    axes: Sequence[str],
    value: np.ndarray,
    allowed: Allowed,
    got: np.ndarray,
    sizes: Mapping[str, object],
) -> tuple[str, Detail]:
    """Where ``got`` differs from ``value``, and how much that says. They must differ somewhere."""
    bad = wrong(value, allowed, got)
    if value.ndim == 0:
        text = f"{name} is {got.item():.6g} where {value.item():.6g} is right"
        return text, Detail.NOTHING
    region, detail = _region(axes, bad)
    parts = [region]
    nan = np.isnan(got) & bad
    if nan.any():
        parts.append(f"there {name} is NaN" if nan.sum() == bad.sum() else "some of it is NaN")
    elif np.isinf(got[bad]).any():
        parts.append(f"there {name} is infinite")
    else:
        factor = _factor(value, got, bad, sizes)
        parts.append(factor or _off_by(value, got, bad, axes))
        detail = Detail.FACTOR if factor else detail
    return f"{name} is wrong {'; '.join(parts)}", detail


def _region(axes: Sequence[str], bad: np.ndarray) -> tuple[str, Detail]:
    """The indices along each axis that are wrong, unless all are."""
    parts = []
    for place, axis in enumerate(axes):
        size = bad.shape[place]
        others = tuple(a for a in range(bad.ndim) if a != place)
        hit = np.flatnonzero(bad.any(axis=others))
        if len(hit) == size or size == 1:
            continue
        parts.append(f"{axis} = {_ranges(hit)} of 0..{size - 1}")
    share = bad.mean()
    if not parts:
        text = "everywhere" if share > 0.5 else f"in {_percent(share)} of its entries"
        return text, Detail.NOTHING
    return f"only at {', '.join(parts)}", Detail.REGION


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")


def _ranges(indices: np.ndarray) -> str:
    """``0, 4..7`` for 0, 4, 5, 6, 7."""
    runs: list[tuple[int, int]] = []
    for index in indices.tolist():
        if runs and index == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    shown = [f"{a}" if a == b else f"{a}..{b}" for a, b in runs[:MAX_SHOWN]]
    if len(runs) > MAX_SHOWN:
        shown.append("...")
    return ", ".join(shown)


def _factor(
    value: np.ndarray, got: np.ndarray, bad: np.ndarray, sizes: Mapping[str, object]
) -> str:
    """A constant factor between the right output and this one, and a size that explains it; or
    ""."""
    # Zeros stay zeros under any factor, such as rows with nothing visible.
    small = np.abs(value) <= 1e-3 * np.abs(value).max()
    usable = np.isfinite(value) & np.isfinite(got) & ~small
    if usable.sum() < 2 or not (bad | small).all():
        return ""
    ratios = got[usable] / value[usable]
    middle = float(np.median(ratios))
    if (
        abs(middle) < 1e-6
        or abs(middle - 1) < 0.02
        or np.max(np.abs(ratios - middle)) > 2e-3 * abs(middle)
    ):
        return ""
    named = _made_of(middle, sizes)
    return f"every entry is {_short(middle)} times what it should be{named}"


def _made_of(factor: float, sizes: Mapping[str, object]) -> str:
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 2:
            continue
        for text, value in (
            (f"sqrt({name})", math.sqrt(size)),
            (name, float(size)),
            (f"1/sqrt({name})", 1 / math.sqrt(size)),
            (f"1/{name}", 1 / size),
        ):
            if abs(factor - value) < 2e-3 * abs(value):
                return f", and {text} is that here"
    return ""


def _short(value: float) -> str:
    simple = Fraction(value).limit_denominator(16)
    if abs(float(simple) - value) < 1e-4 * abs(value):
        return str(simple)
    return f"{value:.4g}"


def _off_by(value: np.ndarray, got: np.ndarray, bad: np.ndarray, axes: Sequence[str]) -> str:
    """The largest error, with its indices and both numbers."""
    error = np.where(bad & np.isfinite(value), np.abs(got - value), 0.0)
    place = np.unravel_index(int(np.argmax(error)), error.shape)
    named = ", ".join(f"{axis}={index}" for axis, index in zip(axes, place, strict=False))
    at = f" at {named}" if named else ""
    return (
        f"largest error {error[place]:.2g}{at}: {got[place]:.6g} where {value[place]:.6g} is right"
    )
