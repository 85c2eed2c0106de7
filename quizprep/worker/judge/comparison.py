"""Is an output right? The tolerance is derived, not tuned.

The reference runs in float64. The same definition runs in the working dtype, on the inputs and on
inputs moved by a unit in the last place; the largest of these errors is what an honest
implementation in this dtype can lose on these inputs. A submission may lose SLACK times as much,
so a different order of sums passes and a lower precision does not. Where an output is small
relative to the inputs, because of cancellation, the definition also runs with every operation
rounded at random (`random_rounding`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from quizprep.worker.backends import EPSILON, Array, Backend, Function, outputs_of

SLACK = 4.0
"""Correct variants had errors of at most 2.64 times those of the plain implementation."""

SMALL = 128
"""With at most this many output values, one draw of signs can cancel by chance, so there are
three."""

ROUGHLY = 1e-2
ROUGHLY_ULPS = 1024.0
"""Tolerance at metered points, relative to the largest value. No sum of these sizes loses as much
in float32, and half precision loses more, so a submission that is cheap because it is less precise
fails."""

CANCELS = 0.25
"""An output is taken to be the result of cancellation if its largest value is below this fraction
of the largest input: its own magnitude then does not bound its rounding error."""

FLOOR_ULPS = 4.0
"""Minimum tolerance in units in the last place, for a plain implementation that happens to be
exact."""


Allowed = float | np.ndarray
"""An absolute error: one for a whole output, or one for each of its entries."""


@dataclass(frozen=True)
class Expected:
    """The expected outputs of one case, and the error that each may have.

    values   float64 arrays; they may contain -inf, but never NaN
    allowed  absolute error, output by output
    dtypes   the dtypes that the outputs must have; "" where it is not checked
    """

    values: tuple[np.ndarray, ...]
    allowed: tuple[np.ndarray, ...]
    dtypes: tuple[str, ...]
    names: tuple[str, ...] = ()
    """In a script of calls, the names of the outputs."""

    def allowing(self, more: Sequence[Array] | float) -> Expected:
        """The same with a larger tolerance: ``more`` is a number, or a number or array for each
        output."""
        each = more if isinstance(more, tuple | list) else [more] * len(self.allowed)
        wider = (one + np.asarray(by) for one, by in zip(self.allowed, each, strict=True))
        return replace(self, allowed=tuple(wider))

    def accepts(self, outputs: Sequence[np.ndarray]) -> bool:
        """Whether all these outputs are right."""
        return len(self.values) == len(outputs) and all(
            value.shape == got.shape and not wrong(value, allowed, got).any()
            for value, allowed, got in zip(self.values, self.allowed, outputs, strict=True)
        )


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

    Inputs scaled by a magnitude test for overflow, not for precision: scores are then in the
    hundreds,
    and exp(score - logsumexp) is as right as softmax but loses a unit in the last place of the
    logsumexp. So the tolerance grows with the magnitude; precision is judged at magnitude 1.
    """
    exact = [backend.cast(a, "float64") for a in args]
    results = solve(*exact)
    truth = tuple(backend.exact(x) for x in outputs_of(results))
    plain = outputs_of(solve(*args))
    draws = 3 if sum(value.size for value in truth) <= SMALL else 1
    # Moved away from zero, products and their exponentials grow by as much as rounding can make
    # them grow. Moved at random, sums that cancel change as well.
    moved = [
        outputs_of(solve(*(backend.nudge(a, r) for a in args))) for r in (None, *[rng] * draws)
    ]
    cancels = cancels or _cancels(truth, args, backend)
    # Rounding can be randomised in torch only; no numpy exercise cancels.
    if cancels and backend.name == "torch":
        from quizprep.worker.judge.random_rounding import rounded

        solve = rounded(solve, rng)
        moved += [outputs_of(solve(*args)) for _ in range(draws)]
    allowed = []
    for value, one, *near in zip(truth, plain, *moved, strict=True):
        spread = max(_distance(value, backend.exact(other)) for other in (one, *near))
        floor = FLOOR_ULPS * EPSILON.get(backend.dtype(one), 0.0) * _scale(value)
        allowed.append(np.asarray(SLACK * max(1.0, magnitude) * max(spread, floor)))
    dtypes = tuple(backend.dtype(x) for x in plain)
    return Expected(truth, tuple(allowed), dtypes, getattr(results, "names", ()))


def expect_roughly(solve: Function, args: Sequence[Array], backend: Backend) -> Expected:
    """The expected outputs up to ROUGHLY_ULPS of the largest value, at a third of the cost of
    `expect`.

    For metered points, where correctness has been judged and outputs only show whether work was
    left
    out.
    """
    ulp = max(EPSILON.get(backend.dtype(a), 0.0) for a in args if backend.is_array(a))
    off = min(ROUGHLY_ULPS * ulp, ROUGHLY)
    # float32's own rounding is far below ROUGHLY_ULPS; only a lower precision needs float64 here.
    if off == ROUGHLY:
        args = [backend.cast(a, "float64") for a in args]
    results = solve(*args)
    truth = tuple(backend.exact(x) for x in outputs_of(results))
    allowed = tuple(np.asarray(off * (_scale(value) or 1.0)) for value in truth)
    return Expected(truth, allowed, tuple("" for _ in truth), getattr(results, "names", ()))


def computed_lower(
    solve: Function,
    args: Sequence[Array],
    backend: Backend,
    expected: Expected,
    outputs: Sequence[np.ndarray],
    dtypes: Sequence[str],
) -> str:
    """The dtype, of these and float32, whose rounding explains the errors of outputs that should be
    more precise; or "".

    The largest error must be at least a tenth of, and at most SLACK times, that of a plain
    computation in that dtype.
    """
    own = min(EPSILON[backend.dtype(a)] for a in args if backend.is_floating(a))
    if any(o.shape != v.shape for o, v in zip(outputs, expected.values, strict=True)):
        return ""
    lower = [dtype for dtype in EPSILON if dtype in (*dtypes, "float32") and EPSILON[dtype] > own]
    for dtype in lower if own < EPSILON["float16"] else ():
        low = [backend.cast(a, dtype) for a in args]
        try:
            plain = [backend.exact(x) for x in outputs_of(solve(*low))]
        except Exception:  # an operation that has no kernel for halves
            continue
        made = max(_distance(v, p) for v, p in zip(expected.values, plain, strict=True))
        seen = max(_distance(v, o) for v, o in zip(expected.values, outputs, strict=True))
        if made and made / 10 <= seen <= SLACK * made:
            return dtype
    return ""


def _cancels(truth: Sequence[np.ndarray], args: Sequence[Array], backend: Backend) -> bool:
    floating = filter(backend.is_floating, args)
    largest = max((_scale(backend.exact(a)) for a in floating), default=0.0)
    return any(_scale(value) < CANCELS * largest for value in truth if value.size)


def model(
    solve: Function, args: Sequence[Array], backend: Backend, rng: np.random.Generator
) -> Expected:
    """The outputs of a model of mistakes in the working dtype, with a tolerance of their own."""
    plain = outputs_of(solve(*args))
    moved = outputs_of(solve(*(backend.nudge(a, rng) for a in args)))
    values, allowed = [], []
    for one, two in zip(plain, moved, strict=True):
        value = backend.exact(one)
        floor = FLOOR_ULPS * EPSILON.get(backend.dtype(one), 0.0) * _scale(value)
        values.append(value)
        allowed.append(np.asarray(SLACK * max(_distance(value, backend.exact(two)), floor)))
    return Expected(tuple(values), tuple(allowed), tuple(backend.dtype(x) for x in plain))


def wrong(value: np.ndarray, allowed: Allowed, got: np.ndarray) -> np.ndarray:
    """Where ``got`` differs from ``value`` by more than is allowed: a boolean array. Infinities
    must be equal."""
    with np.errstate(invalid="ignore"):
        close = np.abs(got - value) <= allowed
    return ~(close | (got == value) | (np.isnan(got) & np.isnan(value)))


def _distance(value: np.ndarray, other: np.ndarray) -> float:
    both = np.isfinite(value) & np.isfinite(other)
    return float(np.max(np.abs(value - other), initial=0.0, where=both))


def _scale(value: np.ndarray) -> float:
    return float(np.max(np.abs(value), initial=0.0, where=np.isfinite(value)))
