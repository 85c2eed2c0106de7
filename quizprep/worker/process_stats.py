"""Figures about the learner's process that it cannot forge, read by the judge from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

MAX_WRITTEN = 1 << 20
"""Bytes of files a submission may leave in its folder; it can delete and shorten none."""

ENTRY_BYTES = 4096
"""What a file or folder takes beside its contents."""


def reset_peak(pid: int) -> int | None:
    """Forget the process's peak so far; returns its resident bytes now, or None if it cannot.

    Linux: writing 5 to clear_refs sets the high-water mark to the current size.
    """
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return None
    return _fields(pid).get("VmHWM")


def peak(pid: int) -> int | None:
    """The process's high-water mark of resident bytes since `reset_peak`."""
    return _fields(pid).get("VmHWM")


def resting(pid: int) -> int | None:
    """Resident bytes that are the process's own, without the pages of files it has mapped."""
    fields = _fields(pid)
    if "RssAnon" not in fields:
        return None
    return fields["RssAnon"] + fields["RssShmem"]


def processor_time(pid: int) -> int:
    """Nanoseconds that all threads of the process have worked, however long they waited; 0 where
    the system does not tell."""
    try:
        # Linux: the clock of another process is its complemented id and two for "scheduled".
        return time.clock_gettime_ns((~pid) << 3 | 2)
    except OSError:
        return 0


def waited(pid: int) -> int:
    """Nanoseconds for which the process could have worked and had no processor; 0 where the system
    does not tell."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    except (OSError, IndexError):
        return 0


def _fields(pid: int) -> dict[str, int]:
    """The sizes in the process's status, in bytes; none when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    return dict(_sizes(status))


def _sizes(status: str) -> Iterator[tuple[str, int]]:
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            yield name, int(value.split()[0]) * 1024


def shared(fd: int) -> int:
    """Bytes that exist of a memory file, whoever wrote them and mapped or not."""
    return os.fstat(fd).st_blocks * 512


def written(folder: str | Path) -> int:
    """Bytes of the files below a folder, and something for each."""
    total = 0
    for base, folders, files in os.walk(folder):
        total += ENTRY_BYTES * len(folders)
        for name in files:
            try:
                total += ENTRY_BYTES + os.lstat(os.path.join(base, name)).st_size
            except OSError:
                continue
    return total
