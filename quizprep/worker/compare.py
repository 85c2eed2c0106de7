"""Is an output right? The tolerance is derived, not tuned.

The reference runs in float64. The same definition runs in the working dtype, once on the
inputs and once on inputs moved by a unit in the last place; the larger of the two errors says
what an honest implementation of this dtype can lose on these inputs. A submission may lose
SLACK times as much, so a different order of sums passes and a lower precision does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quizprep.worker.backends import EPSILON, Backend

SLACK = 4.0
"""Correct variants were measured at most 2.64 times as far off as the plain one."""

FLOOR_ULPS = 4.0
"""Where the plain implementation happens to be exact, so many units in the last place."""


@dataclass(frozen=True)
class Expected:
    """What is right for one case, output by output, and how far off is still right.

    values   float64 arrays; they may hold -inf and, never, NaN
    allowed  absolute error, one number an output
    dtypes   what the outputs' dtypes must be
    """

    values: tuple[np.ndarray, ...]
    allowed: tuple[float, ...]
    dtypes: tuple[str, ...]


def places(result: Any) -> tuple[Any, ...]:
    """The outputs of a call, one or several, as a tuple."""
    return tuple(result) if isinstance(result, tuple | list) else (result,)


def expect(
    solve: Callable[..., Any], args: Sequence[Any], backend: Backend, rng: np.random.Generator
) -> Expected:
    """Run the reference in float64 and in the working dtype."""
    exact = [_is_array_then(backend, backend.double, a) for a in args]
    truth = tuple(backend.exact(x) for x in places(solve(*exact)))
    plain = places(solve(*args))
    near = [_is_array_then(backend, lambda x: backend.nudge(x, rng), a) for a in args]
    moved = places(solve(*near))
    allowed = []
    for value, one, two in zip(truth, plain, moved, strict=True):
        spread = max(_distance(value, backend.exact(one)), _distance(value, backend.exact(two)))
        floor = FLOOR_ULPS * EPSILON[backend.dtype(one)] * _scale(value)
        allowed.append(SLACK * max(spread, floor))
    return Expected(truth, tuple(allowed), tuple(backend.dtype(x) for x in plain))


def model(
    solve: Callable[..., Any], args: Sequence[Any], backend: Backend, rng: np.random.Generator
) -> Expected:
    """The outputs of a faulty model in the working dtype, with the allowance of its own."""
    plain = places(solve(*args))
    near = [_is_array_then(backend, lambda x: backend.nudge(x, rng), a) for a in args]
    moved = places(solve(*near))
    values, allowed = [], []
    for one, two in zip(plain, moved, strict=True):
        value = backend.exact(one)
        floor = FLOOR_ULPS * EPSILON[backend.dtype(one)] * _scale(value)
        values.append(value)
        allowed.append(SLACK * max(_distance(value, backend.exact(two)), floor))
    return Expected(tuple(values), tuple(allowed), tuple(backend.dtype(x) for x in plain))


def _is_array_then(backend: Backend, change: Callable[[Any], Any], value: Any) -> Any:
    return change(value) if backend.is_array(value) else value


def wrong(value: np.ndarray, allowed: float, got: np.ndarray) -> np.ndarray:
    """Where ``got`` is not ``value``: a boolean array. Infinities must be the same ones."""
    with np.errstate(invalid="ignore"):
        close = np.abs(got - value) <= allowed
    return ~(close | (got == value) | (np.isnan(got) & np.isnan(value)))


def _distance(value: np.ndarray, other: np.ndarray) -> float:
    both = np.isfinite(value) & np.isfinite(other)
    return float(np.max(np.abs(value - other), initial=0.0, where=both))


def _scale(value: np.ndarray) -> float:
    return float(np.max(np.abs(value), initial=0.0, where=np.isfinite(value)))
