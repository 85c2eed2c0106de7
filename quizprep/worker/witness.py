"""Figures about the learner's process that it cannot forge, read by the judge from outside."""

from __future__ import annotations

import time
from pathlib import Path


def reset_peak(pid: int) -> int | None:
    """Forget the process's peak so far; returns its resident bytes now, or None if it cannot.

    Linux: writing 5 to clear_refs sets the high-water mark to the current size.
    """
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return None
    return _field(pid, "VmHWM")


def peak(pid: int) -> int | None:
    """The process's high-water mark of resident bytes since `reset_peak`."""
    return _field(pid, "VmHWM")


def _field(pid: int, name: str) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return None


def cpu_nanoseconds(pid: int) -> int | None:
    """CPU time of all threads of another process, from the kernel's own clock for it."""
    try:
        return time.clock_gettime_ns((~pid) << 3 | 2)
    except OSError:
        return None
