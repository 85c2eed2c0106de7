"""Reading a learner's file, and the folders that no submission may read."""

from __future__ import annotations

from pathlib import Path

from quizprep.content.library import Library, shipped_root
from quizprep.errors import UsageError
from quizprep.grading.grader import Submission
from quizprep.store import find_home

MAX_SOURCE = 1 << 20
"""Bytes of a submission; more than a person writes."""


def read_submission(path: Path, begin: str) -> Submission:
    """Read the learner's file; raises UsageError if there is none.

    begin  the command that writes a first version of the file, for that error
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder.", hint="Name the Python file in it.")
    try:
        if path.exists() and not path.is_file():
            # Opening a pipe would wait for its other end.
            raise UsageError(f"{path} is not a regular file.", hint="Name a Python source file.")
        if path.stat().st_size > MAX_SOURCE:
            raise UsageError(f"{path} is larger than 1 MiB.", hint="Name a Python source file.")
        return Submission(path.name, path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}.", hint=f"Begin with: {begin}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def file_stamp(path: Path) -> object:
    """What tells two states of a file apart, links followed; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def hidden_folders(library: Library) -> tuple[str, ...]:
    """The folders that no submission may read: all answers, and what the program stores."""
    roots = {library.root.resolve(), shipped_root()}
    folders = [root / name for root in roots for name in ("exercises", "solutions", "questions")]
    return tuple(str(folder) for folder in (*folders, find_home()) if folder is not None)
