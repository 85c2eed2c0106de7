"""Writing a sheet to a file. A file that quizprep did not write is never replaced."""

from __future__ import annotations

from pathlib import Path

from quizprep.errors import UsageError
from quizprep.files import replace_file

MARKER = "Written by quizprep sheet"
"""Stands in every file we write; a file without it is never overwritten."""
_SEARCHED = 64 << 20


def write(target: Path, data: bytes) -> None:
    """Write a sheet, whole or not at all.

    Raises UsageError where the target is a file that we did not write, or cannot be written.
    """
    if not target.parent.is_dir():
        raise UsageError(
            f"There is no folder {target.parent}.", hint="Create it first, or name another file."
        )
    try:
        if target.is_dir() or (target.exists() and not is_ours(target)):
            raise UsageError(
                f"{target} exists already and is no sheet of ours; it was left as it is.",
                hint="Name another file with -o PATH.",
            )
        replace_file(target, data)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror or error}.",
            hint="Name another file with -o PATH.",
        ) from error


def is_ours(path: Path) -> bool:
    """Whether a file holds the marker of our sheets."""
    with path.open("rb") as stream:
        return MARKER.encode() in stream.read(_SEARCHED)
