"""The line of the submission that is executing, or was when its process crashed.

Python's own fault handler reports it from inside the learner's process, into a pipe on which
neither end blocks; it works even when the interpreter's state is corrupt. Its output is untrusted:
at most a line number and a function's name are taken from it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
import select
import signal
import time
from pathlib import Path

MAX_READ = 1 << 16
"""Bytes of the fault handler's output that are examined."""

DUMP_SIGNAL = signal.SIGUSR1
"""Makes the fault handler of a learner's process print its traceback."""

DUMP_TIMEOUT = 1.0
"""Seconds for printing it, enough on a busy machine."""


def enable(write_end: int) -> None:
    """In the learner: have the fault handler write to the pipe."""
    faulthandler.enable(write_end, all_threads=False)
    faulthandler.register(DUMP_SIGNAL, write_end, all_threads=False)


class CrashLocation:
    """The pipe of the fault handler, and what was read from it."""

    def __init__(self, path: Path) -> None:
        """Create the pipe, before the learner is forked; ``path`` is the submission's file."""
        self._file = re.escape(str(path).encode("ascii", "backslashreplace"))
        self._read_end, self.write_end = os.pipe2(os.O_NONBLOCK)
        self._output = bytearray()

    def current_line(self, process: int) -> str:
        """The line that the process of this pidfd is executing, as `last_line` writes it; "" if
        the process does not report it in time."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, DUMP_SIGNAL)
        end = time.monotonic() + DUMP_TIMEOUT
        # A traceback arrives in pieces.
        while (left := end - time.monotonic()) > 0:
            if not select.select([self._read_end], [], [], left)[0]:
                break
            if line := self.last_line():
                return line
        return ""

    def last_line(self) -> str:
        """The innermost line of the submission that was reported, as " (line 3, in f)"; or ""."""
        try:
            self._output += os.read(self._read_end, MAX_READ)[: MAX_READ - len(self._output)]
        except BlockingIOError:
            return ""
        frame = rb'File "%b", line ([0-9]{1,6}) in ([\w<>\\]{1,100})\n' % self._file
        found = re.search(frame, self._output)
        return f" (line {int(found[1])}, in {found[2].decode('ascii')})" if found else ""

    def close(self) -> None:
        os.close(self._read_end)
