"""The line of its file at which a submission is, or was when it crashed.

Told by the learner's process with Python's own fault handler, which needs no interpreter that is
still sound, into a pipe for which neither end ever waits. What is read there may be anything: it
gives a number and a name for a sentence, or nothing.
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

TOLD = 1 << 16
"""Bytes that are looked at."""

ASKS = signal.SIGUSR1
"""Has a learner's process tell where it is."""

ANSWERS = 1.0
"""Seconds in which it does so, on a busy machine as well."""


class Whereabouts:
    """The pipe, and what was read from it."""

    def __init__(self, path: Path) -> None:
        """``path`` is the submission's file; made before the learner is forked."""
        self._file = re.escape(str(path).encode("ascii", "backslashreplace"))
        self._near, self.far = os.pipe2(os.O_NONBLOCK)
        self._told = bytearray()

    def tell(self) -> None:
        """In the learner: from now on its process tells."""
        faulthandler.enable(self.far, all_threads=False)
        faulthandler.register(ASKS, self.far, all_threads=False)

    def asked(self, process: int) -> str:
        """The line at which the process of this pidfd is, if it tells before long; or ""."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, ASKS)
        end = time.monotonic() + ANSWERS
        # It writes a piece at a time.
        while (left := end - time.monotonic()) > 0:
            if not select.select([self._near], [], [], left)[0]:
                break
            if where := self.last():
                return where
        return ""

    def last(self) -> str:
        """The innermost line of the submission that was written down, as " (line 3, in f)"; or
        ""."""
        try:
            self._told += os.read(self._near, TOLD)[: TOLD - len(self._told)]
        except BlockingIOError:
            return ""
        frame = rb'File "%b", line ([0-9]{1,6}) in ([\w<>\\]{1,100})\n' % self._file
        found = re.search(frame, self._told)
        return f" (line {int(found[1])}, in {found[2].decode('ascii')})" if found else ""

    def close(self) -> None:
        os.close(self._near)
