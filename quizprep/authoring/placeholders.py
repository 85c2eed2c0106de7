"""What a scaffold leaves to its author is marked, and what is marked still has to be written."""

from __future__ import annotations

from pathlib import Path

from quizprep.content.library import Exercise
from quizprep.content.loading import shown_path
from quizprep.errors import Problem

MARK = "TODO(author)"
"""Stands where an author has to write; a plain TODO is for the learner, as in a starter."""


def unfinished(path: Path) -> list[Problem]:
    """The lines of a file that hold the mark, each with what is to be written there."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []  # said by whoever needs the file
    return [
        Problem(shown_path(path), number, "", f"{_task(line)}; then remove the {MARK}")
        for number, line in enumerate(lines, start=1)
        if MARK in line
    ]


def unfinished_exercise(exercise: Exercise) -> list[Problem]:
    """The same for the files of an exercise and its solution."""
    files = [path for path in sorted(exercise.folder.iterdir()) if path.is_file()]
    return [problem for path in [*files, exercise.solution] for problem in unfinished(path)]


def _task(line: str) -> str:
    said = line.partition(MARK)[2].lstrip(":").strip(" \"'])},.").split("\\n")[0]
    return f"still to be written: {said}" if said else "still to be written"
