"""Marks the lines that a process executes; found by every Python that `tools/coverage.py` starts.

The marks are bytes of a file that is mapped and shared: they survive a fork, ``os._exit``, a kill
and a confinement that allows no file. Two processes that write the same mark write the same byte.
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
"""The variable that names the folder with `starts.json` and `marks`."""


def lines_of(code: CodeType) -> set[int]:
    """The lines of one code object, without those of functions defined in it."""
    return {line for _, _, line in code.co_lines() if line}


def trace(folder: Path) -> None:
    """From now on mark what this process, its threads and its forks execute."""
    starts: dict[str, int] = json.loads((folder / "starts.json").read_text("utf-8"))
    with open(folder / "marks", "r+b") as file:
        marks = mmap.mmap(file.fileno(), 0)
    # By identity, because code is compared by value; the code is kept, so that no other takes it.
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


class Begin:
    """Waits for the first import of what is measured: most commands never get there, and a trace
    would only slow them down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = [Path(file) for file in json.loads((folder / "starts.json").read_text("utf-8"))]
        # By the last part of a name: beginning too early costs time and loses nothing.
        self.modules = {name for file in files for name in (file.stem, file.parent.name)}

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Find nothing, but begin where it is time."""
        if name.rpartition(".")[2] in self.modules:
            sys.meta_path.remove(self)
            trace(self.folder)


if FOLDER in os.environ:
    sys.meta_path.insert(0, Begin(Path(os.environ[FOLDER])))
