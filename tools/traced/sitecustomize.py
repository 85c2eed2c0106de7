"""Marks the lines that a process executes; every Python that `tools/coverage.py` starts runs it.

The marks are bytes of a file that is mapped and shared, so they outlive ``os._exit`` and SIGKILL,
and a process that may not write files can still set them. Two processes that mark the same line
write the same byte.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

FOLDER = "QUIZPREP_TRACED"
"""The environment variable that names the folder with the two files below."""

STARTS = "starts.json"
"""Where the marks of each source file begin."""

MARKS = "marks"
"""One byte for each line of each source file: 1 once it has been executed."""


def lines_of(code: CodeType) -> set[int]:
    """The lines of one code object, without those of functions defined in it."""
    return {line for _, _, line in code.co_lines() if line}


def trace(folder: Path) -> None:
    """From now on mark the lines that this process, its threads and its forks execute."""
    starts: dict[str, int] = json.loads((folder / STARTS).read_text("utf-8"))
    with open(folder / MARKS, "r+b") as file:
        marks = mmap.mmap(file.fileno(), 0)
    # By id, because code objects compare by value; the code is kept so that its id stays its own.
    tracers: dict[int, tuple[CodeType, Any]] = {}

    def tracer_of(code: CodeType, start: int) -> Any:
        unseen = lines_of(code)

        def mark(frame: FrameType, event: str, _: object) -> Any:
            if event in ("call", "line"):
                marks[start + frame.f_lineno] = 1
                unseen.discard(frame.f_lineno)
            return mark if unseen else None

        return mark

    def enter(frame: FrameType, event: str, argument: object) -> Any:
        code = frame.f_code
        start = starts.get(code.co_filename)
        if start is None:
            return None
        known = tracers.get(id(code))
        if known is None:
            known = tracers[id(code)] = (code, tracer_of(code, start))
        return known[1](frame, event, argument)

    threading.settrace(enter)
    sys.settrace(enter)


if FOLDER in os.environ:
    trace(Path(os.environ[FOLDER]))
