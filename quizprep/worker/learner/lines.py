"""Which line of the submission each operation belongs to, and what is alive when it allocates.

A line's share of work is the sum over its operations, so the shares of all lines add up to the
totals. A peak has no shares: it is the largest of many moments. So for each place that allocates,
the moment is kept at which most was alive there, with the bytes of each line that made them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from types import FrameType
from typing import NamedTuple

from quizprep.worker.protocol import LineWork, Moment

MAX_LINES, MAX_MOMENTS = 256, 256


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
            line, counted = made.pop(event.serial)
            alive[line] -= counted
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
