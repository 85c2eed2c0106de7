"""What the phases of a script cost: readings of single calls, added up by phase."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from quizprep.worker.backends import Array, Function
from quizprep.worker.protocol import LineWork, Moment, Reply

Readings = dict[str, int]
"""What the learner's process reports that one call cost, by the text of the meter."""

Measure = Callable[[Function, Sequence[Array]], tuple[Array, Mapping[str, int]]]
"""Calls a function under the meters of a session; returns the result and the readings."""


class PointLines:
    """What lines cost at one point, in one call or in all calls of a phase."""

    def __init__(self) -> None:
        self.work: dict[int, LineWork] = {}
        self.moments: dict[str, Moment] = {}
        """By place, the one at which most was alive there."""

    def add(self, reply: Reply) -> None:
        """Add a call: work adds up, and of each place's moments the largest counts."""
        for share in reply.work:
            before = self.work.get(share.line, LineWork(line=share.line))
            self.work[share.line] = LineWork(
                line=share.line,
                flops=before.flops + share.flops,
                elementwise=before.elementwise + share.elementwise,
                moved_bytes=before.moved_bytes + share.moved_bytes,
            )
        for moment in reply.moments:
            before_it = self.moments.get(moment.place)
            if before_it is None or sum(moment.alive.values()) > sum(before_it.alive.values()):
                self.moments[moment.place] = moment

    def replace_moments(self, reply: Reply) -> None:
        """Take the moments of another meter, which saw more."""
        self.moments = {moment.place: moment for moment in reply.moments} or self.moments


class PhaseReadings:
    """Readings by phase and meter."""

    def __init__(self) -> None:
        self._phases: dict[str, dict[str, int]] = {}
        self.lines: dict[str, PointLines] = {}
        """By phase, what lines cost, where it was measured."""

    def add_lines(self, phase: str, reply: Reply) -> None:
        """Add what a call says of lines."""
        self.lines.setdefault(phase, PointLines()).add(reply)

    def add(self, phase: str, readings: Mapping[str, int]) -> None:
        """Add the readings of one call: of peaks the largest counts, all else is summed."""
        total = self._phases.setdefault(phase, {})
        for name, value in readings.items():
            if name == "peak_bytes":
                total[name] = max(total.get(name, 0), value)
            else:
                total[name] = total.get(name, 0) + value

    def by_meter(self) -> dict[str, int]:
        """Readings under names such as ``append.flops``. A phase that frees more than it allocates
        holds nothing."""
        return {
            f"{phase}.{name}": max(value, 0)
            for phase, readings in self._phases.items()
            for name, value in readings.items()
        }


class LocalMeters:
    """Measures the calls of a script over objects of this process: the solution's own cost."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._phase = ""
        self.readings = PhaseReadings()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure the calls inside as that phase."""
        self._phase = name
        try:
            yield
        finally:
            self._phase = ""

    def metered(self, function: Function) -> Function:
        """The function, measured while in a phase; so are the methods of objects it returns."""

        def call(*args: Array) -> Array:
            unwrapped = [arg._inner if isinstance(arg, _MeteredObject) else arg for arg in args]
            if not self._phase:
                return self._wrapped(function(*unwrapped))
            result, readings = self._measure(function, unwrapped)
            self.readings.add(self._phase, readings)
            return self._wrapped(result)

        return call

    def _wrapped(self, value: Array) -> Array:
        """Arrays, numbers and lists as they are; an object of a class of the solution metered."""
        is_object = type(value).__module__ not in ("builtins", "numpy", "torch")
        return _MeteredObject(value, self) if is_object else value


class _MeteredObject:
    """An object whose methods are measured."""

    def __init__(self, inner: Array, meters: LocalMeters) -> None:
        self._inner = inner
        self._meters = meters

    def __getattr__(self, name: str) -> Function:
        return self._meters.metered(getattr(self._inner, name))
