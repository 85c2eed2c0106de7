"""Is an output right? The tolerance is derived, not tuned.

The reference runs in float64. The same definition runs in the working dtype, once on the
inputs and on inputs moved by a unit in the last place; the largest of these errors says what an
honest implementation of this dtype can lose on these inputs. A submission may lose
SLACK times as much, so a different order of sums passes and a lower precision does not. Where an
output is small beside the inputs, because what it is made of cancels, the definition also runs
with every operation rounded at random (`rounding.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quizprep.worker.backends import EPSILON, Array, Backend, Function

SLACK = 4.0
"""Correct variants were measured at most 2.64 times as far off as the plain one."""

SMALL = 128
"""On a case of so few values one draw of signs can cancel by luck, so there are three."""

ROUGHLY = 1e-2
ROUGHLY_ULPS = 1024.0
"""At metered points: no sum of these sizes loses as much in float32, and half precision
loses more, so what is cheap there because it is less precise is found out."""

CANCELS = 0.25
"""An output whose largest value is so small beside the largest input is what is left of a
difference: its own size does not tell what rounding loses."""

FLOOR_ULPS = 4.0
"""Where the plain implementation happens to be exact, so many units in the last place."""


Allowed = float | np.ndarray
"""An absolute error: one for an output, or one for each of its entries."""


@dataclass(frozen=True)
class Expected:
    """What is right for one case, output by output, and how far off is still right.

    values   float64 arrays; they may hold -inf and, never, NaN
    allowed  absolute error, output by output
    dtypes   what the outputs' dtypes must be; "" where that is not looked at
    """

    values: tuple[np.ndarray, ...]
    allowed: tuple[Allowed, ...]
    dtypes: tuple[str, ...]
    names: tuple[str, ...] = ()
    """The outputs of a script of calls, by name."""

    def allowing(self, more: Sequence[Array] | float) -> Expected:
        """The same with a larger allowance: by a number, or by one or an array an output."""
        each = more if isinstance(more, tuple | list) else [more] * len(self.allowed)
        wider = (one + np.asarray(by) for one, by in zip(self.allowed, each, strict=True))
        return replace(self, allowed=tuple(wider))


def places(result: Array) -> tuple[Array, ...]:
    """The outputs of a call, one or several, as a tuple."""
    return tuple(result) if isinstance(result, tuple | list) else (result,)


def expect(
    solve: Function,
    args: Sequence[Array],
    backend: Backend,
    rng: np.random.Generator,
    magnitude: float = 1.0,
    cancels: bool = False,
) -> Expected:
    """Run the reference in float64 and in the working dtype.

    With ``cancels`` results are known to be differences, as gradients of a softmax are.

    Inputs enlarged by a magnitude look for overflow, not for digits: scores then are hundreds,
    and exp(score - logsumexp) is as right as softmax but loses a unit in the last place of the
    logsumexp. So the allowance grows with the magnitude; digits are judged at magnitude 1.
    """
    exact = [_is_array_then(backend, backend.double, a) for a in args]
    results = solve(*exact)
    truth = tuple(backend.exact(x) for x in places(results))
    plain = places(solve(*args))
    draws = 3 if sum(value.size for value in truth) <= SMALL else 1
    # All away from zero: products and what an exponential makes of them grow by as much as
    # rounding can make them. At random: sums that cancel move as well.
    moved = [places(solve(*_nudged(args, backend, r))) for r in (None, *[rng] * draws)]
    cancels = cancels or _cancels(truth, args, backend)
    # Nothing of numpy's arithmetic can be moved, and no exercise of it cancels.
    if cancels and backend.name == "torch":
        from quizprep.worker.judge.random_rounding import rounded

        solve = rounded(solve, rng)
        moved += [places(solve(*args)) for _ in range(draws)]
    allowed = []
    for value, one, *near in zip(truth, plain, *moved, strict=True):
        spread = max(_distance(value, backend.exact(other)) for other in (one, *near))
        floor = FLOOR_ULPS * EPSILON.get(backend.dtype(one), 0.0) * _scale(value)
        allowed.append(SLACK * max(1.0, magnitude) * max(spread, floor))
    dtypes = tuple(backend.dtype(x) for x in plain)
    return Expected(truth, tuple(allowed), dtypes, getattr(results, "names", ()))


def expect_roughly(solve: Function, args: Sequence[Array], backend: Backend) -> Expected:
    """What is right up to ROUGHLY_ULPS of the largest value, at a third of the price of `expect`.

    For outputs at metered points: correctness has been judged, and what is looked for is work
    that was left out.
    """
    ulp = max(EPSILON.get(backend.dtype(a), 0.0) for a in args if backend.is_array(a))
    off = min(ROUGHLY_ULPS * ulp, ROUGHLY)
    # What float32 itself loses is far below that, so float64 is only needed above it.
    if off == ROUGHLY:
        args = [_is_array_then(backend, backend.double, a) for a in args]
    results = solve(*args)
    truth = tuple(backend.exact(x) for x in places(results))
    allowed = tuple(off * (_scale(value) or 1.0) for value in truth)
    return Expected(truth, allowed, tuple("" for _ in truth), getattr(results, "names", ()))


LOWER = ("bfloat16", "float16")


def computed_lower(
    solve: Function,
    args: Sequence[Array],
    backend: Backend,
    expected: Expected,
    outputs: Sequence[np.ndarray],
) -> str:
    """The dtype, lower than the case's, whose rounding the errors of these outputs have; or "".

    Errors as large as a plain computation in that dtype makes, within an order of magnitude,
    and nowhere larger than it can make them.
    """
    if any(backend.dtype(a) in LOWER for a in _arrays(args, backend)):
        return ""
    if any(o.shape != v.shape for o, v in zip(outputs, expected.values, strict=True)):
        return ""
    for dtype in LOWER[backend.name == "numpy" :]:
        low = [backend.cast(a, dtype) if backend.is_array(a) else a for a in args]
        try:
            plain = [backend.exact(x) for x in places(solve(*low))]
        except Exception:  # an operation that has no kernel for halves
            continue
        made = max(_distance(v, p) for v, p in zip(expected.values, plain, strict=True))
        seen = max(_distance(v, o) for v, o in zip(expected.values, outputs, strict=True))
        if made and made / 10 <= seen <= SLACK * made:
            return dtype
    return ""


def _cancels(truth: Sequence[np.ndarray], args: Sequence[Array], backend: Backend) -> bool:
    floating = [a for a in _arrays(args, backend) if backend.dtype(a) in EPSILON]
    largest = max((_scale(backend.exact(a)) for a in floating), default=0.0)
    return any(_scale(value) < CANCELS * largest for value in truth if value.size)


def _arrays(args: Sequence[Array], backend: Backend) -> list[Array]:
    return [a for a in args if backend.is_array(a)]


def model(
    solve: Function, args: Sequence[Array], backend: Backend, rng: np.random.Generator
) -> Expected:
    """The outputs of a faulty model in the working dtype, with the allowance of its own."""
    plain = places(solve(*args))
    moved = places(solve(*_nudged(args, backend, rng)))
    values, allowed = [], []
    for one, two in zip(plain, moved, strict=True):
        value = backend.exact(one)
        floor = FLOOR_ULPS * EPSILON.get(backend.dtype(one), 0.0) * _scale(value)
        values.append(value)
        allowed.append(SLACK * max(_distance(value, backend.exact(two)), floor))
    return Expected(tuple(values), tuple(allowed), tuple(backend.dtype(x) for x in plain))


def _nudged(
    args: Sequence[Array], backend: Backend, rng: np.random.Generator | None
) -> list[Array]:
    return [_is_array_then(backend, lambda x: backend.nudge(x, rng), a) for a in args]


def _is_array_then(backend: Backend, change: Callable[[Array], Array], value: Array) -> Array:
    return change(value) if backend.is_array(value) else value


def wrong(value: np.ndarray, allowed: Allowed, got: np.ndarray) -> np.ndarray:
    """Where ``got`` is not ``value``: a boolean array. Infinities must be the same ones."""
    with np.errstate(invalid="ignore"):
        close = np.abs(got - value) <= allowed
    return ~(close | (got == value) | (np.isnan(got) & np.isnan(value)))


def _distance(value: np.ndarray, other: np.ndarray) -> float:
    both = np.isfinite(value) & np.isfinite(other)
    return float(np.max(np.abs(value - other), initial=0.0, where=both))


def _scale(value: np.ndarray) -> float:
    return float(np.max(np.abs(value), initial=0.0, where=np.isfinite(value)))
