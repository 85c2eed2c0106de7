"""Statistics of the learner's process that it cannot forge, read from outside."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

MAX_WRITTEN = 1 << 20
"""Bytes of files that a submission may leave in its folder; it can neither delete nor shorten
them."""

ENTRY_BYTES = 4096
"""What a file or folder takes besides its contents."""


def reset_peak(pid: int) -> int | None:
    """Reset the process's peak of resident memory; returns its resident bytes now, or None if that
    fails.

    Linux: writing 5 to clear_refs sets the high-water mark to the current size.
    """
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return None
    return _fields(pid).get("VmHWM")


def peak_resident(pid: int) -> int | None:
    """The high-water mark of the process's resident bytes since `reset_peak`; None once it has
    ended."""
    return _fields(pid).get("VmHWM")


def private_bytes(pid: int) -> int | None:
    """The process's resident bytes, without the pages of the files that it maps."""
    fields = _fields(pid)
    if "RssAnon" not in fields:
        return None
    return fields["RssAnon"] + fields["RssShmem"]


def forget_accesses(pid: int) -> None:
    """Clear what the kernel remembers of the pages that the process has accessed, for
    `accessed_bytes`.

    Linux: writing 1 to clear_refs clears the bits; writing 4 flushes the processors' caches of
    translations as well, without which an access to a page that is cached would go unnoticed.
    """
    for what in ("1", "4"):
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text(what)


def accessed_bytes(pid: int) -> int | None:
    """Bytes of memory, in whole pages, that the process has read or written since
    `forget_accesses`, without unmodified pages of files; None where the system does not say."""
    try:
        text = Path(f"/proc/{pid}/smaps").read_text(errors="replace")
    except OSError:
        return None
    total, from_file, accessed = 0, False, 0
    # LazyFree: where a content was given up (MADV_FREE) the kernel forgets that it was accessed.
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == "Referenced":
            accessed = int(rest.split()[0]) * 1024
            total += 0 if from_file else accessed
        elif name == "Anonymous" and from_file:
            total += min(accessed, int(rest.split()[0]) * 1024)
        elif name == "LazyFree":
            total += int(rest.split()[0]) * 1024
        elif "-" in name[:17]:
            # address perms offset device inode path
            fields = line.split(maxsplit=5)
            from_file = fields[4] != "0" and not line.endswith("(deleted)")
    return total


def cpu_time(pid: int) -> int:
    """CPU time of all threads of the process in nanoseconds, however long they waited; 0 where the
    system does not report it."""
    try:
        # Linux: the id of another process's clock is ~pid << 3, with 2 for CPUCLOCK_SCHED.
        return time.clock_gettime_ns((~pid) << 3 | 2)
    except OSError:
        return 0


def run_delay(pid: int) -> int:
    """Nanoseconds that the process was runnable and waited for a processor; 0 where the system does
    not report it."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    except (OSError, IndexError):
        return 0


def _fields(pid: int) -> dict[str, int]:
    """The sizes in the process's status, in bytes; empty once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    fields = (line.partition(":") for line in status.splitlines() if line.endswith(" kB"))
    return {name: int(value.split()[0]) * 1024 for name, _, value in fields}


def memfd_bytes(fd: int) -> int:
    """Bytes that are allocated to a memory file, whoever wrote them, mapped or not."""
    return os.fstat(fd).st_blocks * 512


def folder_bytes(folder: str | Path) -> int:
    """Bytes of the files below a folder, with ENTRY_BYTES for each file and folder.

    Folders too deep for a path are left out: those above them are more than MAX_WRITTEN already.
    """
    total = 0
    waiting = [os.fspath(folder)]
    # os.walk recurses in Python 3.11, so that nested folders could exhaust the stack.
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                size = 0 if is_folder else entry.stat(follow_symlinks=False).st_size
            except OSError:
                continue
            total += ENTRY_BYTES + size
            if is_folder:
                waiting.append(entry.path)
    return total
