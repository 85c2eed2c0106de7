"""Where a submission's values depart from those of a right answer: a hint where no edit mends it.

The values of the submission's variables on one small failing case are compared with every value
that the reference and the solution compute on the same inputs. Transposition and shape do not
matter, because single values are looked up, nor does a scale by the usual factors.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from quizprep.content.exercises import Runtime
from quizprep.grading import wire
from quizprep.grading.verdict import Departure
from quizprep.worker.backends import Array, Backend, Function, outputs_of
from quizprep.worker.judge.channel import Channel, LearnerGone
from quizprep.worker.judge.diagnosis import Observed
from quizprep.worker.judge.exercise_files import Reference, load_solution
from quizprep.worker.judge.preparation import Cases

ENOUGH = 6
"""Values that an array must have so that all of them are not found by chance."""

CLOSE = 1e-5
"""Relative: what float32 loses in a few operations."""

MOST = 1 << 17
"""Values of right answers that are looked up in."""

WIDTH = 64
"""Elements that the inputs of a case must have, so that it tells values apart."""


MAX_WAIT = 1.0
"""Seconds until the traced call must be answered."""


def telling(case: Observed, backend: Backend) -> bool:
    """Whether the inputs of a case tell values apart."""
    floating = [value for value in case.args if backend.is_floating(value)]
    in_float32 = all(backend.dtype(value) == "float32" for value in floating)
    return in_float32 and sum(math.prod(value.shape) for value in floating) >= WIDTH


class RightValues:
    """Every value that right answers compute on some inputs."""

    def __init__(
        self, answers: Sequence[Function], args: Sequence[Array], backend: Backend
    ) -> None:
        exact = [backend.cast(value, "float64") for value in args]
        found: list[np.ndarray] = []
        for answer in answers:
            with _watched(answer, backend, found.append):
                result = answer(*exact)
            found += [backend.exact(value) for value in outputs_of(result)]
        found += [backend.exact(value) for value in exact if backend.is_floating(value)]
        values = np.unique(np.concatenate([_telling(value) for value in found]))[:MOST]
        sizes = {size for value in args if backend.is_array(value) for size in value.shape[-1:]}
        roots = [math.sqrt(size) for size in sizes if size > 1]
        scales = [1.0, math.log2(math.e), math.log(2), *roots, *(1 / root for root in roots)]
        self._values = np.unique(np.concatenate([values * scale for scale in scales]))

    def has(self, array: np.ndarray) -> bool | None:
        """Whether every value of the array occurs; None if it has too few to tell."""
        values = _telling(array)
        if len(np.unique(values)) < ENOUGH or not len(self._values):
            return None
        right = np.searchsorted(self._values, values).clip(1, len(self._values) - 1)
        near = np.minimum(
            np.abs(self._values[right] - values), np.abs(self._values[right - 1] - values)
        )
        return bool((near <= CLOSE * np.maximum(np.abs(values), 1e-3)).all())


def _telling(array: np.ndarray) -> np.ndarray:
    """The magnitudes of the values that tell something: finite and no whole numbers."""
    flat = np.abs(array[np.isfinite(array)])
    return flat[flat != np.round(flat)]


@contextmanager
def _watched(
    answer: Function, backend: Backend, keep: Callable[[np.ndarray], None]
) -> Iterator[None]:
    """Keep every floating array that is computed inside: with torch the result of every operation,
    with numpy the values of variables."""
    if backend.name == "torch":
        from quizprep.worker.learner.torch_meters import DispatchMode

        class Watching(DispatchMode):
            def __torch_dispatch__(
                self, func: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                result = func(*args, **(kwargs or {}))
                for value in outputs_of(result):
                    if backend.is_floating(value):
                        keep(backend.exact(value).copy())
                return result

        with Watching():
            yield
        return
    folder = str(Path(answer.__code__.co_filename).parent)

    def note(frame: FrameType, event: str, result: Any) -> Any:
        if not frame.f_code.co_filename.startswith(folder):
            return None
        for value in (*list(frame.f_locals.values()), result):
            if backend.is_floating(value):
                keep(backend.exact(value).copy())
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        yield
    finally:
        sys.settrace(before)


def find_departure(
    job: wire.Job,
    channel: Channel,
    reference: Reference,
    cases: Cases,
    backend: Backend,
    seen: Sequence[Observed],
) -> Departure | None:
    """Where the values of a function depart from a right answer's on the smallest failing case that
    tells values apart; None also for kernels and classes, whose variables are not traced."""
    if reference.drive is not None or job.spec.runtime is Runtime.TRITON:
        return None
    failing = [
        place for place, case in enumerate(seen) if case.wrong_values and telling(case, backend)
    ]
    if not failing:
        return None
    place = min(failing, key=lambda at: len(cases.inputs(at).placed.memory))
    channel.patience = time.monotonic() + MAX_WAIT
    try:
        traced = channel.trace_values(cases.inputs(place).placed)
        arrays = channel.traced(traced)
    except LearnerGone:
        return None
    finally:
        channel.patience = None
    solution = load_solution(job.solution, job.spec.entries)[job.spec.entries[0]]
    right = RightValues((reference.solve, solution), seen[place].args, backend)
    found = departure(list(zip(traced.lines, arrays, strict=True)), right)
    return None if found is None else Departure(upto=found[0], line=found[1])


def departure(
    values: Sequence[tuple[int, np.ndarray]], right: RightValues
) -> tuple[int, int] | None:
    """The last line whose values all occur in a right answer, and the first whose do not; None
    where they do not part cleanly. ``values`` are in the order in which they were computed."""
    known = [(line, has) for line, array in values if (has := right.has(array)) is not None]
    places = [place for place, (_, has) in enumerate(known) if not has]
    if not places or places[0] == 0:
        return None
    first = places[0]
    line = known[first][0]
    # A line that is right the next time, or values that are right again behind it, are no parting.
    if any(has for at, has in known[first:] if at >= line):
        return None
    return known[first - 1][0], line
