"""Which line of the submission each operation belongs to, and what is alive when it allocates.

A line's share of work is the sum over its operations, so the shares of all lines add up to the
totals. A peak has no shares: it is the largest of many moments. So for each place that allocates,
the moment is kept at which most was alive there, with the bytes of each line that made them.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable, Mapping
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

from quizprep.worker.protocol import LineWork, Moment

if TYPE_CHECKING:
    import numpy as np

MAX_LINES, MAX_MOMENTS = 256, 256

NUMBER = 16
"""Bytes of the largest number: a complex one."""


class Event(NamedTuple):
    """An allocation, or a release, which has a negative size.

    serial  of the allocation
    place   of an allocation: the line, the instruction and the operation that made it
    call    of an allocation: the number of that operation in its call
    """

    serial: int
    size: int
    place: tuple[int, int, str] = (0, 0, "")
    call: int = 0


class LineLedger:
    """The work of each line in one call."""

    def __init__(self, path: str) -> None:
        """``path`` is the submission's file."""
        self._path = path
        self.work: dict[int, list[int]] = {}
        """By line: flops, element-wise operations, bytes moved."""

    def here(self) -> tuple[int, int]:
        """The line of the submission that is executing, and the instruction; zeros if none is."""
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_filename == self._path:
                return frame.f_lineno, frame.f_lasti
            frame = frame.f_back
        return 0, 0

    def add(self, line: int, flops: int, elementwise: int, moved: int) -> None:
        """An operation of a line."""
        total = self.work.get(line)
        if total is None:
            self.work[line] = [flops, elementwise, moved]
            return
        total[0] += flops
        total[1] += elementwise
        total[2] += moved

    def shares(self) -> tuple[LineWork, ...]:
        """The work of each line."""
        return tuple(
            LineWork(line=line, flops=flops, elementwise=elementwise, moved_bytes=moved)
            for line, (flops, elementwise, moved) in sorted(self.work.items())[:MAX_LINES]
        )


class Recorder:
    """What the operations of one call, or of one call after another, do and allocate.

    Meters of torch record their operations here, and so do counting arrays of numpy.
    """

    def __init__(self, path: str = "") -> None:
        """``path`` is the submission's file, for its lines; without it none are told apart."""
        self.ledger = LineLedger(path) if path else None
        self.place = (0, 0, "")
        """Of the operation that is running: its line, instruction and name."""
        self.events: list[Event] = []
        self._serial = 0
        self._arrays: dict[int, tuple[int, weakref.ref[np.ndarray]]] = {}
        """By address, arrays of numpy's that own their memory, with their allocation."""
        self.begin_call()

    def begin_call(self) -> None:
        """Reset all counters; what is alive is still followed."""
        self.flops = self.elementwise = self.moved = self.calls = 0
        self.events.clear()
        if self.ledger is not None:
            self.ledger.work.clear()

    def add(self, flops: int, elementwise: int, moved: int) -> None:
        """An operation of numpy's."""
        self.calls += 1
        self.flops += flops
        self.elementwise += elementwise
        self.moved += moved
        if self.ledger is not None:
            self.ledger.add(self.ledger.here()[0], flops, elementwise, moved)

    def allocate(self, size: int) -> int:
        """Record an allocation at the current place; returns its number."""
        serial = self._serial = self._serial + 1
        self.events.append(Event(serial, size, self.place, self.calls))
        return serial

    def allocated(self, array: np.ndarray) -> None:
        """Follow an array of numpy's that owns its memory."""
        if array.nbytes <= NUMBER and array.ndim == 0:
            return
        if self.ledger is not None:
            self.place = (*self.ledger.here(), "numpy")
        serial, size = self.allocate(array.nbytes), array.nbytes
        address: int = array.__array_interface__["data"][0]
        release = partial(self._release, address, serial, size)
        self._arrays[address] = serial, weakref.ref(array, release)

    def _release(self, address: int, serial: int, size: int, _: object) -> None:
        self.events.append(Event(serial, -size))
        if self._arrays.get(address, (0,))[0] == serial:
            del self._arrays[address]

    def array_at(self, address: int) -> int | None:
        """The allocation of numpy's array at this address."""
        found = self._arrays.get(address)
        return found[0] if found is not None else None

    def shares(self) -> tuple[LineWork, ...]:
        """The work of each line, if lines are told apart."""
        return self.ledger.shares() if self.ledger is not None else ()

    def moments(self, returned: Mapping[int, int]) -> tuple[Moment, ...]:
        """Of each place that allocates, the moment at which most was alive there."""
        return moments(self.events, returned)


def moments(events: Iterable[Event], returned: Mapping[int, int]) -> tuple[Moment, ...]:
    """For each place that allocates, the moment at which most was alive there. From its second
    round on a place counts as another: what the last round made may still be alive then.

    ``returned`` maps an allocation to the bytes of it that were returned, which do not count.
    """
    alive: dict[int, int] = {}
    made: dict[int, tuple[int, int]] = {}
    found: dict[tuple[tuple[int, int, str], bool], tuple[int, dict[int, int]]] = {}
    first_call: dict[tuple[int, int, str], int] = {}
    total = 0
    for event in events:
        if event.size < 0:
            # What an earlier call made belongs to no line of this one.
            line, counted = made.pop(event.serial, (0, -event.size))
            alive[line] = alive.get(line, 0) - counted
            total -= counted
            continue
        line = event.place[0]
        counted = max(event.size - returned.get(event.serial, 0), 0)
        made[event.serial] = line, counted
        alive[line] = alive.get(line, 0) + counted
        total += counted
        key = (event.place, first_call.setdefault(event.place, event.call) != event.call)
        if key not in found or total > found[key][0]:
            found[key] = total, {line: size for line, size in alive.items() if size}
    return tuple(
        Moment(place=f"{line}:{instruction}:{name}{'+' if again else ''}", line=line, alive=sizes)
        for ((line, instruction, name), again), (_, sizes) in [*found.items()][:MAX_MOMENTS]
    )
