"""The nursery's two children: the descriptors that each of them keeps, how it starts and leaves."""

from __future__ import annotations

import contextlib
import ctypes
import os
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn


class _Ends:
    def all(self) -> tuple[int, ...]:
        """Every descriptor."""
        return tuple(vars(self).values())


@dataclass(frozen=True)
class LearnerEnds(_Ends):
    """The learner's descriptors: pipe ends, and ``memory``, the arena of its inputs."""

    orders: int
    replies: int
    memory: int
    output: int
    """What the submission prints; standard output and standard error."""
    ready: int
    """Written to once, with the parts of the confinement that are missing."""
    crash: int
    """For Python's fault handler; see `crash_location`."""


@dataclass(frozen=True)
class JudgeEnds(_Ends):
    """The judge's descriptors: pipe ends, the arena, and the memfd of the reference cache."""

    requests: int
    """The nursery's own input, from which the judge reads the job."""
    orders: int
    replies: int
    events: int
    control: int
    """Read for the reason why the learner's process ended."""
    ready: int
    memory: int
    cache: int
    compiler: int
    """A socket to the compiler's process; without one its other end is closed."""


def run_child(work: Callable[[], None]) -> NoReturn:
    """Run the work of a forked child, then exit at once: torch's teardown is skipped."""
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        os._exit(status)


def detach(nursery: int, keep: Iterable[int]) -> None:
    """In a child: die with the nursery, leave its session, and close every descriptor but the
    standard ones and those to keep."""
    die_with_parent(nursery)
    os.setsid()
    previous = -1
    for fd in sorted({0, 1, 2, *keep}):
        # CPython 3.11 closes everything when it is given an empty range.
        if previous + 1 < fd:
            os.closerange(previous + 1, fd)
        previous = fd
    os.closerange(previous + 1, 1 << 16)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` dies; exit at once if it already has."""
    PR_SET_PDEATHSIG, SIGKILL = 1, 9
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
