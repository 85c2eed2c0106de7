"""The SQLite file: its place, formats, upgrades, transactions and errors.

A file of an earlier format is upgraded in one transaction when it is opened. Every failure is a
StoreError that names the file and says what to do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from quizprep.errors import StoreError

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

FILE_NAME = "quizprep.db"
VERSION = 3
BUSY_SECONDS = 10
_APPLICATION_ID = 0x717A7072  # "qzpr": tells our files from other SQLite files

FORMATS = {
    1: """
create table reviews (
    id integer primary key, question text not null, at text not null, seed integer not null,
    reply text not null, score real not null, rating integer not null, hints integer not null,
    seconds real, session text not null
);
create index reviews_by_question on reviews (question, id);
create table corrections (
    id integer primary key, review integer not null references reviews (id),
    score real not null, rating integer not null, at text not null
);
create index corrections_by_review on corrections (review, id);
create table cards (
    question text primary key, review integer not null, scheduler text not null,
    due text not null, state text not null
);
create table attempts (
    id integer primary key, exercise text not null, at text not null, passed integer not null,
    mistakes text not null, verdict text not null, hints integer not null
);
create table due_marks (
    id integer primary key, concept text not null, reason text not null, at text not null
);
create table hints (id integer primary key, exercise text not null, at text not null);
""",
    2: """
create table voids (
    id integer primary key, review integer not null references reviews (id), at text not null
);
create index voids_by_review on voids (review);
create index reviews_by_time on reviews (at);
create table settings (
    id integer primary key, name text not null, value text not null, at text not null
);
create table mocks (
    id integer primary key, at text not null, seed integer not null, level text not null,
    minutes integer not null, session text not null
);
create table mock_steps (
    id integer primary key, mock integer not null references mocks (id), at text not null,
    seconds real not null, step text not null
);
create index mock_steps_by_mock on mock_steps (mock, id);
""",
    3: """
create table bookmarks (
    id integer primary key, question text not null, kept integer not null, note text not null,
    at text not null
);
create table resets (id integer primary key, exercise text not null, at text not null);
""",
}
"""What each format adds to the one before."""


def find_home() -> Path | None:
    """The folder that holds everything stored: QUIZPREP_HOME or the platform's data folder.

    None if that is inside a home folder that is not known, as without HOME for a user whom the
    system does not list.
    """
    if chosen := os.environ.get("QUIZPREP_HOME"):
        home = os.path.expanduser(chosen)
    else:
        import platformdirs

        try:
            home = platformdirs.user_data_dir("quizprep", appauthor=False)
        except RuntimeError:
            return None
    return None if home.startswith("~") else Path(home)


def default_home() -> Path:
    """The folder that holds everything stored; raises StoreError if it is not known."""
    home = find_home()
    if home is None:
        raise StoreError(
            "There is no home folder to store anything in: HOME is not set, or not absolute.",
            hint="Set QUIZPREP_HOME to a folder that you may write to.",
        )
    return home


class Database:
    """An open file; ``close`` it, or use a ``with`` block."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, home: Path | None = None) -> Self:
        """Open or create the store in a folder; raises StoreError."""
        import sqlite3

        path = (home or default_home()) / FILE_NAME
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(path, error.strerror or str(error)) from error
        # SQLite opens a read-only file and would fail only at the first answer.
        for place in (path.parent, path):
            if place.exists() and not os.access(place, os.W_OK):
                raise _cannot_write(path, f"{place} is read-only for you")
        with _explained(path):
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        store = cls(path, connection)
        try:
            store._prepare()
        except BaseException:
            connection.close()
            raise
        return store

    def back_up(self, target: Path) -> None:
        """Copy everything to a new file, which is whole or absent; raises FileExistsError, OSError
        or StoreError."""
        target.touch(exist_ok=False)  # nobody else takes the name meanwhile
        part = target.with_name(f"{target.name}.part")
        try:
            part.unlink(missing_ok=True)
            self._read("vacuum into ?", str(part))
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            raise

    def in_memory(self) -> Self:
        """A copy in which everything can be recorded, and which is forgotten when it is closed."""
        import sqlite3

        memory = sqlite3.connect(":memory:", isolation_level=None)
        with _explained(self.path):
            self._connection.backup(memory)
        return type(self)(self.path, memory)

    def close(self) -> None:
        """Close the file; nothing is pending."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self) -> None:
        """Create or upgrade the tables; raises StoreError for a file that we must not write."""
        # Checked under the write lock, so that two processes do not both create the tables.
        with self._writing() as sql:
            version = self._pragma("user_version")
            if version == VERSION:
                self._read("select 1 from reviews limit 1")
                return
            if version > VERSION:
                raise StoreError(
                    f"{self.path} was written by a newer quizprep (format {version}; this one "
                    f"knows {VERSION}).",
                    hint="Upgrade quizprep. The file was left as it is.",
                )
            ours = version > 0 and self._pragma("application_id") == _APPLICATION_ID
            if not ours and self._read("select 1 from sqlite_master limit 1"):
                raise StoreError(
                    f"{self.path} is a database of another program.",
                    hint="Set QUIZPREP_HOME to another folder. The file was left as it is.",
                )
            for tables in (FORMATS[number] for number in range(version + 1, VERSION + 1)):
                for statement in tables.split(";"):
                    sql.execute(statement)
            sql.execute(f"pragma application_id = {_APPLICATION_ID}")
            sql.execute(f"pragma user_version = {VERSION}")

    def _pragma(self, name: str) -> int:
        return int(self._value(f"pragma {name}"))

    def _read(self, query: str, *values: object) -> list[Any]:
        with _explained(self.path):
            return self._connection.execute(query, cells(values)).fetchall()

    def _value(self, query: str, *values: object) -> Any:
        """The first cell that a query gives."""
        return self._read(query, *values)[0][0]

    def _records(self, make: Callable[..., T], query: str, *values: object) -> list[T]:
        """Each row as ``make`` builds it; a row that we cannot have written means damage."""
        rows = self._read(query, *values)
        try:
            return [make(*row) for row in rows]
        except (TypeError, ValueError) as error:
            raise _damaged(self.path, error) from error

    def _insert(self, table: str, replacing: bool = False, **values: object) -> int:
        """Add a row, inside a transaction; returns its id."""
        verb = "insert or replace" if replacing else "insert"
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        statement = f"{verb} into {table} ({names}) values ({marks})"
        cursor = self._connection.execute(statement, cells(values.values()))
        return int(cursor.lastrowid or 0)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; it takes the write lock first, so that no writer fails half way."""
        with _explained(self.path):
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise
            self._connection.execute("commit")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into StoreErrors that say what to do."""
    import sqlite3

    try:
        yield
    except UnicodeDecodeError as error:
        raise _damaged(path, error) from error
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise _damaged(path, error) from error
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StoreError(
                f"{path} was locked by another process for {BUSY_SECONDS} seconds.",
                hint="Close the other quizprep, then try again.",
            ) from error
        if name.startswith("SQLITE_FULL"):
            raise StoreError(
                f"{path} cannot be written: the disk is full.",
                hint="Free some space; everything answered before is kept.",
            ) from error
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            raise _cannot_write(path, str(error)) from error
        raise StoreError(
            f"{path} cannot be used: {error}.",
            hint="Check the disk, or set QUIZPREP_HOME to another folder.",
        ) from error


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path} is damaged: {error}.",
        hint=f"Move it away (mv '{path}' '{path}.damaged') and a new one is made; quizprep import "
        "brings back what quizprep export wrote, and the file of a backup can take its place.",
    )


def _cannot_write(path: Path, why: str) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {why}.",
        hint="Set QUIZPREP_HOME to a folder that you may write to.",
    )


def cells(values: Iterable[object]) -> list[object]:
    """The values of a row; times in UTC with microseconds, so that text order is time order."""
    return [
        value.astimezone(UTC).isoformat(timespec="microseconds")
        if isinstance(value, datetime)
        else value
        for value in values
    ]


def time(text: str) -> datetime:
    """The time in a row; raises ValueError."""
    return datetime.fromisoformat(text)
