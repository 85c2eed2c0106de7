"""The submission's own mask beside the right one, and a map of where values are wrong.

Query i sees key j if output row i changes with value row j. So the submission is called once for
each key of a small case, with that value row far away, and so is the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from quizprep.grading.verdict import ErrorMap, MaskSeen
from quizprep.grading.wire import Case
from quizprep.worker.arena import PlacedInputs
from quizprep.worker.backends import Array, Backend, Function, outputs_of
from quizprep.worker.judge.channel import Channel
from quizprep.worker.judge.comparison import wrong
from quizprep.worker.judge.diagnosis import Observed
from quizprep.worker.protocol import TensorAt

LARGEST = 12
"""Queries and keys of a mask that is probed, at most."""

PROBED_CASES = 3
"""Cases that are probed until masks differ."""

FAR = 1e6
"""Added to a value row: so much that a weight of 1e-12 still shows in float32."""

NARROWEST, WIDEST = 3, 32
"""Columns and rows of a map, at least and at most."""


class MaskProbe:
    """Finds the mask of a function of q, k, v and perhaps more; v has the shape (b, g, m, d)."""

    def __init__(self, channel: Channel, backend: Backend, solve: Function) -> None:
        self._channel = channel
        self._backend = backend
        self._solve = solve

    def differing(self, cases: Sequence[tuple[Case, PlacedInputs]]) -> MaskSeen | None:
        """The masks on a failing case on which they differ, a large one if possible; raises
        LearnerGone."""
        small = []
        for case, placed in cases:
            place = _values_at(placed)
            if place is not None and _is_small(case, placed):
                small.append((_area(placed), case, placed, place))
        small.sort(key=lambda one: one[0], reverse=True)
        for _, case, placed, place in small[:PROBED_CASES]:
            found = self._compared(case, placed, place)
            if found is not None:
                return found
        return None

    def _compared(self, case: Case, placed: PlacedInputs, place: int) -> MaskSeen | None:
        right = self._mask(placed, place, lambda inputs: self._solve(*inputs.views(self._backend)))
        seen = self._mask(placed, place, self._called)
        if right is None or seen is None or seen.shape != right.shape:
            return None
        differ = (seen != right).any(axis=(2, 3))
        if not differ.any() or not right.any():
            return None
        sequence, head = (int(axis[0]) for axis in np.nonzero(differ))
        return MaskSeen(
            params=case.params,
            sequence=sequence,
            head=head,
            seen=_rows(seen[sequence, head]),
            right=_rows(right[sequence, head]),
        )

    def _called(self, inputs: PlacedInputs) -> Array | None:
        """The first output of the submission; None without one."""
        number = self._channel.start_call(inputs)
        reply = self._channel.receive(number)
        if reply.raised is not None or reply.banned or not reply.outputs:
            return None
        return self._channel.outputs(reply).get("0")

    def _mask(
        self, placed: PlacedInputs, place: int, call: Callable[[PlacedInputs], Array | None]
    ) -> np.ndarray | None:
        """Which keys each query sees, booleans (b, h, n, m). None if the output has other axes, or
        NaN, which depends on nothing."""
        before = self._row_output(call(placed))
        if before is None:
            return None
        columns = []
        for key in range(_keys(placed, place)):
            moved = replace(placed, memory=bytearray(placed.memory))
            moved.views(self._backend)[place][:, :, key] += FAR
            after = self._row_output(call(moved))
            if after is None or after.shape != before.shape:
                return None
            columns.append((after != before).any(axis=-1))
        return np.stack(columns, axis=-1)

    def _row_output(self, output: Array | None) -> np.ndarray | None:
        found = outputs_of(output)[0]
        if found is None:
            return None
        if len(found.shape) != 4:
            return None
        values = self._backend.exact(found)
        return values if np.isfinite(values).all() else None


def _values_at(placed: PlacedInputs) -> int | None:
    """The place of v among the inputs, if it has four axes."""
    if "v" not in placed.names or placed.gradients:
        return None
    place = placed.names.index("v")
    at = placed.args[place]
    return place if isinstance(at, TensorAt) and len(at.shape) == 4 else None


def _keys(placed: PlacedInputs, place: int) -> int:
    at = placed.args[place]
    assert isinstance(at, TensorAt)
    return at.shape[2]


def _lengths(placed: PlacedInputs) -> list[int]:
    """The numbers of queries and of keys."""
    return [at.shape[2] for at in placed.args if isinstance(at, TensorAt) and len(at.shape) == 4]


def _area(placed: PlacedInputs) -> int:
    return min(_lengths(placed)) * max(_lengths(placed))


def _is_small(case: Case, placed: PlacedInputs) -> bool:
    """Whether a case has a mask that a reader takes in at a glance, and no rounding or scale that
    hides a weight."""
    plain = case.dtype == "float32" and case.magnitude == 1
    return plain and min(_lengths(placed)) >= 2 and max(_lengths(placed)) <= LARGEST


def _rows(mask: np.ndarray) -> tuple[tuple[bool, ...], ...]:
    return tuple(tuple(bool(cell) for cell in row) for row in mask)


def error_map(case: Case, seen: Observed, name: str, axes: Sequence[str]) -> ErrorMap | None:
    """Where the first output of a case is wrong, along the two axes that tell most: those along
    which most is neither all wrong nor all right. None if a sentence says as much."""
    if seen.straightened is None:
        return None
    right, got = seen.expected.values[0], seen.straightened[0]
    if right.ndim != len(axes) or right.shape != got.shape:
        return None
    bad = wrong(right, seen.expected.allowed[0], got)
    best: tuple[int, tuple[int, int], np.ndarray] | None = None
    for one, two in combinations(range(bad.ndim), 2):
        others = tuple(axis for axis in range(bad.ndim) if axis not in (one, two))
        grid: np.ndarray = np.any(bad, axis=others)
        # A rectangle is told by its rows and columns.
        rectangle = np.outer(grid.any(axis=1), grid.any(axis=0))
        odd = int((rectangle & ~grid).sum())
        in_sight = min(grid.shape) >= NARROWEST and max(grid.shape) <= WIDEST
        if in_sight and odd >= NARROWEST and (best is None or odd > best[0]):
            best = odd, (one, two), grid
    if best is None:
        return None
    _, (one, two), grid = best
    return ErrorMap(params=case.params, output=name, axes=(axes[one], axes[two]), wrong=_rows(grid))
