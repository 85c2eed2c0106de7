"""Who handed in what: files of a folder by a layout, or by a CSV file that maps them.

Everything in the folder was named and written by students. Links are not followed, nothing outside
the folder is read, and a name that could steer a terminal or leave a folder is refused; each
refusal is reported and stops nobody else.
"""

from __future__ import annotations

import csv
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from quizprep.content.library import plain_id
from quizprep.errors import UsageError
from quizprep.grading.submission import MAX_SOURCE
from quizprep.text import printable

LAYOUT = "{student}/{exercise}.py"
ONLY_STUDENT = "submission"
"""The student's name where the layout has no ``{student}``: a folder that one student handed in."""

_PART = re.compile(r"(\{student\}|\{exercise\}|\*)")
_PATTERNS = {
    "{student}": "(?P<student>[^/]+?)",
    "{exercise}": "(?P<exercise>[^/]+?)",
    "*": "[^/]*",
}
_LINK = "is a link; links are not followed"
_MAX_NAME = 200
_COLUMNS = ("student", "exercise", "file")


@dataclass(frozen=True)
class HandedIn:
    """One file that a student handed in; ``file`` is relative to the folder."""

    student: str
    exercise: str
    file: str


@dataclass(frozen=True)
class Refused:
    """A file that is not graded, and why; the texts have no control characters."""

    file: str
    why: str


@dataclass(frozen=True)
class Scan:
    """What a folder holds, by student and exercise.

    unknown  files that fit the layout and are named like no exercise
    """

    handed_in: tuple[HandedIn, ...]
    refused: tuple[Refused, ...] = ()
    unknown: tuple[str, ...] = ()


class Unreadable(Exception):
    """A file cannot be taken as a submission; the text says why."""


def scan(folder: Path, exercises: tuple[str, ...], layout: str = LAYOUT) -> Scan:
    """What the folder holds by a layout such as ``{student}/{exercise}.py``; ``*`` stands for
    anything. Raises UsageError for a layout that cannot be used."""
    pattern = _compiled(layout)
    refused: list[Refused] = []
    found: list[tuple[str, str, str]] = []
    unknown: list[str] = []
    known = {plain_id(name): name for name in exercises}
    for file in _files(folder, refused):
        match = pattern.fullmatch(file)
        if match is None:
            continue
        groups = match.groupdict()
        exercise = known.get(plain_id(groups["exercise"]))
        if exercise is None:
            unknown.append(printable(file))
        else:
            found.append((groups.get("student", ONLY_STUDENT), exercise, file))
    return _checked(found, refused, unknown)


def scan_map(mapping: Path, exercises: tuple[str, ...]) -> Scan:
    """What a CSV file with the columns student, exercise and file says."""
    try:
        text = mapping.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{mapping} cannot be read: {error}.") from error
    rows = read_table(text, str(mapping), _COLUMNS, "Its first line is: student,exercise,file")
    known = {plain_id(name): name for name in exercises}
    found: list[tuple[str, str, str]] = []
    unknown: list[str] = []
    for row in rows:
        student, name, file = (row[column] for column in _COLUMNS)
        if plain_id(name) in known:
            found.append((student, known[plain_id(name)], file))
        else:
            unknown.append(printable(f"{file} ({name})"))
    return _checked(found, [], unknown)


def read_table(text: str, name: str, columns: Iterable[str], hint: str) -> list[dict[str, str]]:
    """The rows of a CSV text by column, without spaces around cells; raises UsageError with the
    hint if it is not CSV or lacks a column.

    name  what to call it in the error
    """
    try:
        table = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        head, *rows = list(table) or [[]]
    except csv.Error as error:
        raise UsageError(f"{name} is not CSV: {error}.", hint=hint) from error
    if missing := set(columns) - set(head):
        raise UsageError(f"{name} has no column {', '.join(sorted(missing))}.", hint=hint)
    return [
        {column: cell.strip() for column, cell in zip_longest(head, row[: len(head)], fillvalue="")}
        for row in rows
        if row
    ]


def read(folder: Path, file: str) -> bytes:
    """The content of a submission; raises Unreadable.

    Only a regular file inside the folder is opened, reached without a link.
    """
    relative = PurePosixPath(file)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts or "\0" in file:
        raise Unreadable("is outside the folder")
    path = folder.resolve() / relative
    try:
        if path.resolve() != path:
            raise Unreadable(_LINK)
        # Opening a pipe without O_NONBLOCK would wait for its other end.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as stream:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("is not a regular file")
            source = stream.read(MAX_SOURCE + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    if len(source) > MAX_SOURCE:
        raise Unreadable("is larger than 1 MiB")
    return source


def _compiled(layout: str) -> re.Pattern[str]:
    if layout.count("{exercise}") != 1 or layout.count("{student}") > 1:
        raise UsageError(
            f"The layout {layout!r} does not name the exercise once, and the student at most once.",
            hint=f"The usual one is {LAYOUT}; * stands for anything.",
        )
    return re.compile("".join(_PATTERNS.get(part, re.escape(part)) for part in _PART.split(layout)))


def _files(folder: Path, refused: list[Refused]) -> Iterator[str]:
    """Every file and link to a file, relative to the folder; hidden ones are left out.

    refused  gets folders that cannot be read, and links where students' folders should be
    """

    def unreadable(error: OSError) -> None:
        place = os.path.relpath(error.filename, folder)
        refused.append(Refused(printable(place), f"cannot be read: {error.strerror}"))

    for place, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        relative = PurePosixPath(Path(place).relative_to(folder).as_posix())
        if Path(place) == folder:
            links = (name for name in folders if (folder / name).is_symlink())
            refused += [Refused(printable(name), _LINK) for name in links]
        for name in sorted(files):
            if not name.startswith("."):
                yield str(relative / name)


def _checked(found: list[tuple[str, str, str]], refused: list[Refused], unknown: list[str]) -> Scan:
    """The scan without unusable names and without what was handed in twice."""
    kept: dict[tuple[str, str], HandedIn] = {}
    for student, exercise, file in found:
        why = _trouble(student)
        earlier = kept.get((student, exercise))
        if not why and earlier is not None:
            why = f"is a second {exercise} of {student}; {earlier.file} is graded"
        if why:
            refused.append(Refused(printable(file), printable(why)))
        else:
            kept[student, exercise] = HandedIn(student, exercise, file)
    ordered = sorted(kept.values(), key=lambda each: (each.student, each.exercise))
    return Scan(tuple(ordered), tuple(refused), tuple(unknown))


def _trouble(student: str) -> str:
    """Why a name cannot be a student's; empty if it can. Names become file names in reports."""
    if (
        not student
        or not student.isprintable()
        or len(student.encode("utf-8", "replace")) > _MAX_NAME
    ):
        return "belongs to a student without a name that can be printed"
    if "/" in student or "\\" in student or student.startswith("."):
        return "belongs to a student whose name is a path"
    return ""
