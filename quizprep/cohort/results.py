"""The SQLite file of verdicts: one row a grading, committed before the next is counted.

A row is keyed by what was graded (a checksum of the submission), the exercise, what it was graded
against (a checksum of the exercise's files) and the version of quizprep. So a run that was killed
goes on, a second run does nothing, and a changed exercise grades only its own submissions again.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from quizprep import __version__
from quizprep.content.library import Exercise
from quizprep.errors import QuizprepError, UsageError
from quizprep.grading.verdict import Verdict

_APPLICATION_ID = 0x717A6368  # "qzch": tells our files from other SQLite files
_BUSY_SECONDS = 30
_TABLES = """
create table results (
    submission text not null, exercise text not null, content text not null,
    program text not null, at text not null, passed integer not null, verdict blob not null,
    primary key (submission, exercise, content, program)
) without rowid;
create table versions (
    student text not null, exercise text not null, submission text not null, at text not null,
    primary key (student, exercise, submission)
) without rowid;
create table numbers (student text primary key, number integer not null unique);
"""
_NOT_JUDGED = frozenset(("README.md", "starter.py", "mutants.yaml"))
"""Files of an exercise that no verdict depends on."""


class Key(NamedTuple):
    """What a verdict depends on."""

    submission: str
    exercise: str
    content: str
    program: str


def content_sum(exercise: Exercise) -> str:
    """A checksum of the files that an exercise is judged by."""
    total = sha256()
    files = [each for each in exercise.folder.iterdir() if each.is_file()]
    for file in (*sorted(files), exercise.solution):
        if file.name not in _NOT_JUDGED:
            data = file.read_bytes()
            total.update(f"{file.name} {len(data)}\n".encode())
            total.update(data)
    return total.hexdigest()


def key_of(source: bytes, exercise: str, content: str) -> Key:
    """The key of a submission to an exercise, as this quizprep would grade it.

    content  the exercise's checksum, by ``content_sum``
    """
    return Key(sha256(source).hexdigest(), exercise, content, __version__)


class Results:
    """An open file of results; use it in a ``with`` block."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; raises QuizprepError for another program's."""
        self.path = path
        with self._explained():
            self._sql = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            self._sql.execute("pragma synchronous = full")
        try:
            self._prepare()
        except BaseException:
            self._sql.close()
            raise

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self._sql.close()

    def known(self, keys: Iterable[Key]) -> set[Key]:
        """Those of the keys that have a verdict."""
        return {key for key in keys if self._row("passed", key) is not None}

    def add(self, key: Key, verdict: Verdict, at: datetime) -> None:
        """Append a verdict; one that is there already stays. Faults of ours are not kept, so that
        the next run tries again."""
        if verdict.faulty:
            return
        with self._writing():
            self._sql.execute(
                "insert or ignore into results values (?, ?, ?, ?, ?, ?, ?)",
                (*key, at.isoformat(), verdict.passed, verdict.json()),
            )

    def verdict(self, key: Key) -> Verdict | None:
        """The verdict of a key, if there is one."""
        row = self._row("verdict", key)
        try:
            return None if row is None else Verdict.parse(row)
        except (msgspec.MsgspecError, TypeError) as error:
            raise QuizprepError(
                f"{self.path} is damaged: {error}.", hint="Move it away; a new one is made."
            ) from error

    def handed_in(self, rows: Iterable[tuple[str, str, str]], at: datetime) -> None:
        """Note which submission (by checksum) each student handed in for each exercise."""
        with self._writing():
            self._sql.executemany(
                "insert or ignore into versions values (?, ?, ?, ?)",
                ((*row, at.isoformat()) for row in rows),
            )

    def versions(self) -> dict[tuple[str, str], int]:
        """How many different submissions were seen by student and exercise."""
        with self._explained():
            rows = self._sql.execute(
                "select student, exercise, count(*) from versions group by student, exercise"
            )
            return {(student, exercise): count for student, exercise, count in rows}

    def numbers(self, students: Iterable[str]) -> dict[str, int]:
        """A number for each student, for reports without names. A student keeps it in this file;
        new ones are numbered in a random order, so that numbers tell nothing about names."""
        with self._writing():
            known = dict(self._sql.execute("select student, number from numbers").fetchall())
            new = sorted(set(students) - known.keys())
            secrets.SystemRandom().shuffle(new)
            first = max(known.values(), default=0) + 1
            added = [(student, number) for number, student in enumerate(new, start=first)]
            self._sql.executemany("insert into numbers values (?, ?)", added)
        return known | dict(added)

    def _row(self, column: str, key: Key) -> bytes | None:
        with self._explained():
            found = self._sql.execute(
                f"select {column} from results where submission = ? and exercise = ? "
                "and content = ? and program = ?",
                key,
            ).fetchone()
        return None if found is None else found[0]

    def _prepare(self) -> None:
        with self._writing():
            (application,) = self._sql.execute("pragma application_id").fetchone()
            if application == _APPLICATION_ID:
                return
            if self._sql.execute("select 1 from sqlite_master limit 1").fetchone():
                raise UsageError(
                    f"{self.path} is a database of another program; it was left as it is.",
                    hint="Name another file with --results.",
                )
            for statement in _TABLES.split(";"):
                self._sql.execute(statement)
            self._sql.execute(f"pragma application_id = {_APPLICATION_ID}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; it takes the write lock first."""
        with self._explained():
            self._sql.execute("begin immediate")
            try:
                yield
            except BaseException:
                if self._sql.in_transaction:
                    self._sql.execute("rollback")
                raise
            self._sql.execute("commit")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise QuizprepError(
                f"{self.path} cannot be used: {error}.",
                hint="Every result before is kept. Free the file or disk, then run it again, or "
                "name another file with --results.",
            ) from error
