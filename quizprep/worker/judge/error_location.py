"""Where an output is wrong, in words, along the axes that the exercise names.

It reports only what the numbers show: indices along an axis, a shape that is a permutation of the
right one, a constant factor, NaN. Naming the mistake is left to `diagnosis`.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

import numpy as np

from quizprep.grading.verdict import Symptom
from quizprep.worker.judge.comparison import Allowed, wrong

MAX_SHOWN = 6


class Detail(enum.IntEnum):
    """How much a message says beyond that something is wrong."""

    NOTHING = 0
    REGION = 1
    FACTOR = 2


@dataclass(frozen=True)
class Problem:
    """What is wrong with one output, in words, what kind of failure it is, and how much the words
    say."""

    says: str
    symptom: Symptom = Symptom.VALUES
    detail: Detail = Detail.NOTHING


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


def straightened(right: Sequence[int], got: np.ndarray) -> np.ndarray | None:
    """An output in the right shape, where its own is a permutation of it, or has axes of size 1 too
    many or too few."""
    if got.ndim == len(right):
        for order in permutations(range(got.ndim)):
            if tuple(got.shape[axis] for axis in order) == tuple(right):
                return got.transpose(order)
    if _real(got.shape) == _real(right):
        return got.reshape(right)
    return None


def locate(
    name: str,
    axes: Sequence[str],
    value: np.ndarray,
    allowed: Allowed,
    got: np.ndarray,
    sizes: Mapping[str, object],
) -> Problem:
    """Where ``got`` differs from ``value``. They must differ somewhere."""
    bad = wrong(value, allowed, got)
    if value.ndim == 0:
        one, other = _apart(got.item(), value.item())
        return Problem(f"{name} is {one} where {other} is right")
    region, detail = _region(axes, bad)
    parts, symptom = [region], Symptom.VALUES
    empty = empty_rows(value)
    if (empty | ~bad).all() and not empty.all():
        symptom = Symptom.EMPTY_ROWS
        parts.append("all of that should be 0" if value.any() else "nothing is visible there")
    nan = np.isnan(got) & bad
    if nan.any():
        parts.append(f"there {name} is NaN" if nan.sum() == bad.sum() else "some of it is NaN")
        if nan.sum() == bad.sum() and symptom is Symptom.VALUES:
            symptom = Symptom.NAN
    else:
        factor = _factor(value, got, bad, sizes)
        parts.append(factor or _off_by(value, got, bad, axes))
        detail = Detail.FACTOR if factor else detail
    return Problem(f"{name} is wrong {'; '.join(parts)}", symptom, detail)


def empty_rows(value: np.ndarray) -> np.ndarray:
    """The entries of rows in which nothing is visible, a boolean array: those that are -inf, or 0
    all along the last axis."""
    if value.ndim < 2:
        return np.isneginf(value)
    return np.isneginf(value) | (value == 0).all(axis=-1, keepdims=True)


def _region(axes: Sequence[str], bad: np.ndarray) -> tuple[str, Detail]:
    """The indices along each axis that are wrong, unless all are."""
    parts = []
    for place, axis in enumerate(axes):
        size = bad.shape[place]
        others = tuple(a for a in range(bad.ndim) if a != place)
        hit = np.flatnonzero(bad.any(axis=others))
        if len(hit) == size or size == 1:
            continue
        parts.append(_indices(axes, axis, hit, size))
    share = bad.mean()
    if not parts:
        text = "everywhere" if share > 0.5 else f"in {_percent(share)} of its entries"
        return text, Detail.NOTHING
    return f"only {', '.join(parts)}", Detail.REGION


NOUNS = {"b": "sequence", "h": "head", "n": "row", "t": "row", "d": "column"}
"""Words for the axes of an output of attention."""


def _indices(axes: Sequence[str], axis: str, hit: np.ndarray, size: int) -> str:
    """``in rows 0 and 4 to 7 of 9``; an axis without a word for it is ``at m = 0 of 3``."""
    noun = NOUNS.get(axis, "") if "h" in axes or "d" in axes else ""
    if not noun and axis.endswith("s") and len(axis) > 1:
        noun = axis[:-1]
    which = _ranges(hit)
    if not noun:
        return f"at {axis} = {which} of {size}"
    return f"in {noun if len(hit) == 1 else noun + 's'} {which} of {size}"


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")


def _ranges(indices: np.ndarray) -> str:
    """``0, 2 and 4 to 7`` for 0, 2, 4, 5, 6, 7."""
    runs: list[tuple[int, int]] = []
    for index in indices.tolist():
        if runs and index == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    shown = [f"{a}" if a == b else f"{a}{' and ' if b == a + 1 else ' to '}{b}" for a, b in runs]
    if len(runs) > MAX_SHOWN:
        return ", ".join([*shown[:MAX_SHOWN], "..."])
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]


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
    """The largest error, with its indices and both numbers. An error that is not finite is larger
    than any other."""
    with np.errstate(invalid="ignore"):
        error = np.where(bad, np.abs(got - value), 0.0)
    error = np.where(np.isnan(error), np.inf, error)
    place = np.unravel_index(int(np.argmax(error)), error.shape)
    named = ", ".join(f"{axis}={index}" for axis, index in zip(axes, place, strict=False))
    at = f" at {named}" if named else ""
    one, other = _apart(float(got[place]), float(value[place]))
    largest = f"largest error {error[place]:.2g}" if np.isfinite(error[place]) else "for instance"
    return f"{largest}{at}: {one} where {other} is right"


def _apart(got: float, right: float) -> tuple[str, str]:
    """Two different numbers, with as many digits as it takes to see that they differ."""
    for digits in range(6, 18):
        texts = f"{got:.{digits}g}", f"{right:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts
