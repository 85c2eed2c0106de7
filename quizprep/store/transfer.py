"""The log as JSON lines: written whole, and merged into a store without doubling anything.

The first line is ``{"quizprep": "log", "format": 3}``. Every other line is one row: its ``table``,
its ``id``, which the references ``review`` and ``mock`` of other rows mean, and the columns that
``quizprep.store.database`` lists. The schedule is left out, since it follows from the log.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from heapq import merge
from typing import Any

from quizprep.errors import UsageError
from quizprep.store.database import VERSION, Database, time

TABLES = (
    "reviews", "corrections", "voids", "attempts", "hints", "due_marks", "settings", "mocks",
    "mock_steps", "bookmarks", "resets",
)  # fmt: skip
"""Every table of the log, each after the one that it refers to."""

_REFERENCES = {"review": "reviews", "mock": "mocks"}
_KINDS: dict[str, tuple[type, ...]] = {"integer": (int,), "real": (int, float), "text": (str,)}
_LARGEST = 2**63 - 1
_HEAD = {"quizprep": "log", "format": VERSION}


@dataclass(frozen=True)
class _Column:
    name: str
    kind: str
    optional: bool

    def read(self, value: object) -> object:
        """The value as the store writes it; raises ValueError with what is wrong."""
        if value is None and self.optional:
            return None
        if isinstance(value, bool) or not isinstance(value, _KINDS[self.kind]):
            raise ValueError(f"{self.name} is no {self.kind}")
        if self.name == "at":
            return _moment(str(value))
        if isinstance(value, str):
            value.encode()  # a lone surrogate is a ValueError too
        elif not -_LARGEST <= float(str(value)) <= _LARGEST:  # false for a NaN
            raise ValueError(f"{self.name} is too large")
        if self.name == "mistakes" and not isinstance(json.loads(str(value)), list):
            raise ValueError("mistakes is no list in JSON")
        if self.name == "rating" and value not in (1, 2, 3, 4):
            raise ValueError("rating is none of 1, 2, 3, 4")
        if self.name == "score" and not 0 <= float(str(value)) <= 1:
            raise ValueError("score is not between 0 and 1")
        return float(value) if self.kind == "real" and isinstance(value, int) else value


@dataclass(frozen=True)
class _Row:
    """A row of one table without its id, hashable, with the key of the row that it refers to."""

    cells: tuple[object, ...]
    about: tuple[_Row, int] | None = None


_Log = dict[str, list[tuple[_Row, int]]]
"""By table the rows in order, each with how many rows like it came before it: 0, 1 and so on."""


def export_log(store: Database) -> Iterator[str]:
    """The lines of the whole log, as it is at one moment; raises StoreError."""
    columns = {table: _columns(store, table) for table in TABLES}
    with store._writing():  # no other process writes between two tables
        rows = {table: _rows(store, table, columns[table]) for table in TABLES}
    yield json.dumps(_HEAD)
    for table in TABLES:
        names = ["id", *(column.name for column in columns[table])]
        for row in rows[table]:
            yield json.dumps({"table": table, **dict(zip(names, row, strict=True))})


def import_log(store: Database, lines: Iterable[str]) -> Counter[str]:
    """Add the rows that the store does not have; returns how many by table.

    All or nothing, in one transaction. Rows of both logs are put in the order of their times, so
    that the last answer to a question is the last one whichever machine took it. Raises UsageError
    that names the line of a damaged file.
    """
    columns = {table: _columns(store, table) for table in TABLES}
    theirs = _keyed(_parsed(lines, columns), columns, read=True)
    added: Counter[str] = Counter()
    with store._writing() as sql:
        ours = _keyed({t: enumerate(_rows(store, t, columns[t]), 1) for t in TABLES}, columns)
        for table in TABLES:
            known = set(ours[table])
            added[table] = sum(row not in known for row in theirs[table])
        if not added.total():
            return added
        ids: dict[tuple[str, tuple[_Row, int]], int] = {}
        for table in TABLES:
            # An id is never used twice: another process may still hold it.
            free = int(store._value(f"select coalesce(max(id), 0) from {table}")) + 1
            sql.execute(f"delete from {table}")
            for id, row in enumerate(_merged(ours[table], theirs[table], columns[table]), free):
                ids[table, row] = id
                store._insert(table, False, id=id, **_cells(row[0], columns[table], ids))
        sql.execute("delete from cards")
    return added


def _merged(
    ours: list[tuple[_Row, int]], theirs: list[tuple[_Row, int]], columns: list[_Column]
) -> Iterator[tuple[_Row, int]]:
    """Both logs by time; each keeps its own order, even where its clock was set back."""
    at = [column.name for column in columns].index("at")
    known = set(ours)
    new = [row for row in theirs if row not in known]
    return merge(ours, new, key=lambda row: str(row[0].cells[at]))


def _cells(
    row: _Row, columns: list[_Column], ids: Mapping[tuple[str, tuple[_Row, int]], int]
) -> dict[str, object]:
    values = {column.name: cell for column, cell in zip(columns, row.cells, strict=True)}
    for name, table in _REFERENCES.items():
        if name in values and row.about is not None:
            values[name] = ids[table, row.about]
    return values


def _columns(store: Database, table: str) -> list[_Column]:
    """The columns apart from the id."""
    described = store._read(f"pragma table_info({table})")
    return [
        _Column(name, kind.lower(), not required)
        for _, name, kind, required, _, key in described
        if not key
    ]


def _rows(store: Database, table: str, columns: list[_Column]) -> list[Any]:
    names = ", ".join(["id", *(column.name for column in columns)])
    return store._read(f"select {names} from {table} order by id")


def _keyed(
    rows: Mapping[str, Iterable[tuple[int, Any]]],
    columns: Mapping[str, list[_Column]],
    read: bool = False,
) -> _Log:
    """The rows with references to rows instead of ids.

    rows  by table the number of the line and the row with its id
    read  whether they were read from a file: then a reference to nothing raises UsageError; one
          in our own store, which may be damaged, stays as it is
    """
    log: _Log = {}
    by_id: dict[tuple[str, int], tuple[_Row, int]] = {}
    for table in TABLES:
        seen: Counter[_Row] = Counter()
        log[table] = []
        for line, (id, *cells) in rows[table]:
            about = None
            for place, column in enumerate(columns[table]):
                if target := _REFERENCES.get(column.name):
                    about = by_id.get((target, cells[place]))
                    if about is not None:
                        cells[place] = None
                    elif read:
                        raise _bad(line, f"there is no {column.name} {cells[place]}")
            row = _Row(tuple(cells), about)
            key = (row, seen[row])
            seen[row] += 1
            if read and (table, id) in by_id:
                raise _bad(line, f"the id {id} occurs twice in {table}")
            by_id[table, id] = key
            log[table].append(key)
    return log


def _parsed(
    lines: Iterable[str], columns: Mapping[str, list[_Column]]
) -> dict[str, list[tuple[int, list[object]]]]:
    """By table the number of the line and the row with its id; raises UsageError."""
    rows: dict[str, list[tuple[int, list[object]]]] = {table: [] for table in TABLES}
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            found = json.loads(line)
            if not isinstance(found, dict):
                raise ValueError("it is no JSON object")
            if number == 1:
                _check_head(found)
                continue
            table = str(found.get("table"))
            if table not in rows:
                raise ValueError(f"there is no table {table!r}")
            id = _Column("id", "integer", optional=False).read(found.get("id"))
            rows[table].append((number, [id, *(c.read(found.get(c.name)) for c in columns[table])]))
        except (ValueError, RecursionError) as error:
            raise _bad(number, str(error)) from error
    if not number:
        raise _bad(1, "the file is empty")
    return rows


def _check_head(found: Mapping[str, object]) -> None:
    if found.get("quizprep") != "log":
        raise ValueError("the first line is not that of quizprep export")
    version = found.get("format")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise ValueError(f"format {version!r} is not known here; upgrade quizprep")


def _moment(text: str) -> str:
    moment = time(text)
    if moment.tzinfo is None:
        raise ValueError("at has no time zone")
    try:
        return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except OverflowError as error:
        raise ValueError("at is out of range") from error


def _bad(line: int, why: str) -> UsageError:
    return UsageError(
        f"Line {line} cannot be read: {why}.",
        hint="Nothing was imported. Give a file that quizprep export wrote.",
    )
