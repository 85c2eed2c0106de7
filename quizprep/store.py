"""What the program remembers: a SQLite file, append-only, one transaction an answer.

``reviews`` and ``attempts`` are logs. A correction of a review is a row of ``corrections``; the
latest one holds. A row of ``voids`` takes a review back: it stays on record and no longer counts.
``due_marks`` say why a concept was brought forward and ``hints`` which hints of an exercise were
shown. ``settings`` is a log too; the latest value of a name holds. ``mocks`` are interviews and
``mock_steps`` what happened in each. ``cards`` is the one table that is overwritten: it caches
what the scheduler made of the log, and can be thrown away.

A file of an earlier format is brought up to date in one transaction when it is opened.

Whatever kills the process, an answer that was recorded stays: SQLite commits before
``record_review`` returns. Every failure is a StoreError that names the file and what to do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quizprep.errors import StoreError

if TYPE_CHECKING:
    import sqlite3

FILE_NAME = "quizprep.db"
VERSION = 2
BUSY_SECONDS = 10
_APPLICATION_ID = 0x717A7072  # "qzpr": tells our files from other SQLite files

_FORMATS = {
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
}
"""What each format adds to the one before."""

_EFFECTIVE = """
select r.id, r.question, r.at, r.seed, r.reply, coalesce(c.score, r.score),
       coalesce(c.rating, r.rating), r.hints, r.seconds, r.session
from reviews r left join corrections c
  on c.id = (select max(id) from corrections where review = r.id)
where not exists (select 1 from voids where review = r.id)
"""

# Jumps from question to question along the index: a million reviews cost no more than a few of
# each question.
_LATEST = """
with recursive asked (question) as (
    select min(question) from reviews
    union all
    select (select min(question) from reviews where question > asked.question)
    from asked where asked.question is not null
)
select r.question, r.id, r.at, coalesce(c.score, r.score)
from asked join reviews r
  on r.id = (
    select id from reviews l where l.question = asked.question
    and not exists (select 1 from voids where review = l.id) order by id desc limit 1
  )
left join corrections c
  on c.id = (select max(id) from corrections where review = r.id)
"""


@dataclass(frozen=True)
class Answer:
    """One answer, as it is recorded.

    seed     the draw it answers
    score    0 to 1
    rating   1 again, 2 hard, 3 good, 4 easy
    hints    how many were shown before it
    seconds  how long it took, or None where that says nothing, as through a pipe
    session  the round it belongs to
    """

    question: str
    at: datetime
    seed: int
    reply: str
    score: float
    rating: int
    hints: int
    seconds: float | None
    session: str


@dataclass(frozen=True)
class Review(Answer):
    """A recorded answer; score and rating are as last corrected."""

    id: int


@dataclass(frozen=True)
class Latest:
    """The latest answer to a question; the score is as last corrected."""

    review: int
    at: datetime
    score: float


@dataclass(frozen=True)
class Card:
    """What the scheduler made of a question's reviews; ``state`` is its own text."""

    question: str
    review: int
    scheduler: str
    due: datetime
    state: str


@dataclass(frozen=True)
class Attempt:
    """One grading of an exercise."""

    exercise: str
    at: datetime
    passed: bool
    mistakes: tuple[str, ...]
    verdict_json: str
    hints: int


@dataclass(frozen=True)
class DueMark:
    """A concept brought forward because a mistake was named."""

    concept: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Mock:
    """One interview; its answers are reviews of ``session``. ``level`` is empty for any."""

    id: int
    at: datetime
    seed: int
    level: str
    minutes: int
    session: str


@dataclass(frozen=True)
class MockStep:
    """Something that happened in an interview, as JSON, and the seconds it took."""

    at: datetime
    seconds: float
    step: str


Reschedule = Callable[[Sequence[Review]], Card]
"""From every review of one question, oldest first, to its card."""


def default_home() -> Path:
    """The folder that everything is stored in: QUIZPREP_HOME or the platform's data folder."""
    if chosen := os.environ.get("QUIZPREP_HOME"):
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("quizprep", appauthor=False))


class Store:
    """An open database. Use ``Store.open``, and ``close`` or a ``with`` block at the end."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, home: Path | None = None) -> Store:
        """Open or create the store in a folder; raises StoreError."""
        import sqlite3

        path = (home or default_home()) / FILE_NAME
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(path, error.strerror or str(error)) from error
        # SQLite opens what it may only read, and would fail at the first answer.
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

    def close(self) -> None:
        """Close the file; nothing is pending."""
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- questions ---------------------------------------------------------------------

    def record_review(self, answer: Answer, reschedule: Reschedule) -> Review:
        """Append an answer and replace its question's card, both or neither."""
        with self._writing() as sql:
            cursor = sql.execute(
                "insert into reviews (question, at, seed, reply, score, rating, hints, seconds,"
                " session) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    answer.question,
                    _stamp(answer.at),
                    answer.seed,
                    answer.reply.encode("utf-8", "replace").decode("utf-8"),
                    answer.score,
                    answer.rating,
                    answer.hints,
                    answer.seconds,
                    answer.session,
                ),
            )
            return self._rescheduled(answer.question, int(cursor.lastrowid or 0), reschedule)

    def correct_review(
        self, review: Review, score: float, rating: int, now: datetime, reschedule: Reschedule
    ) -> Review:
        """Append the learner's own score or rating for a review; the first one stays on record."""
        with self._writing() as sql:
            sql.execute(
                "insert into corrections (review, score, rating, at) values (?, ?, ?, ?)",
                (review.id, score, rating, _stamp(now)),
            )
            if sql.execute("select 1 from voids where review = ?", (review.id,)).fetchone():
                return replace(review, score=score, rating=rating)  # taken back meanwhile
            return self._rescheduled(review.question, review.id, reschedule)

    def void_review(self, review: Review, now: datetime, reschedule: Reschedule) -> None:
        """Take an answer back: it stays on record, and all else is as if it had not been given."""
        with self._writing() as sql:
            sql.execute("insert into voids (review, at) values (?, ?)", (review.id, _stamp(now)))
            history = self.reviews(review.question)
            if history:
                self._put_card(reschedule(history))
            else:
                sql.execute("delete from cards where question = ?", (review.question,))

    def _rescheduled(self, question: str, review: int, reschedule: Reschedule) -> Review:
        history = self.reviews(question)
        self._put_card(reschedule(history))
        return next(each for each in history if each.id == review)

    def reviews(self, question: str | None = None) -> list[Review]:
        """Reviews of one question or of all that were not taken back, oldest first."""
        if question is None:
            return self._reviews("order by r.id")
        return self._reviews("and r.question = ? order by r.id", question)

    def last_review(self) -> Review | None:
        """The latest answer that was not taken back."""
        found = self._reviews("order by r.id desc limit 1")
        return found[0] if found else None

    def _reviews(self, rest: str, *values: object) -> list[Review]:
        rows = self._read(f"{_EFFECTIVE} {rest}", values)
        with _decoded(self.path):
            return [
                Review(question, _time(at), seed, reply, score, rating, hints, seconds, session, id)
                for id, question, at, seed, reply, score, rating, hints, seconds, session in rows
            ]

    def cards(self) -> dict[str, Card]:
        """The cached card of every question that was ever answered."""
        rows = self._read("select question, review, scheduler, due, state from cards")
        with _decoded(self.path):
            return {row[0]: Card(row[0], row[1], row[2], _time(row[3]), row[4]) for row in rows}

    def latest(self) -> dict[str, Latest]:
        """For every question that was answered: its latest answer that was not taken back."""
        rows = self._read(_LATEST)
        with _decoded(self.path):
            return {question: Latest(id, _time(at), score) for question, id, at, score in rows}

    def first_answers(self, since: datetime) -> int:
        """How many questions were answered for the first time since then."""
        query = (
            "select count(distinct question) from reviews r where at >= ? and not exists"
            " (select 1 from voids where review = r.id) and not exists (select 1 from reviews b"
            " where b.question = r.question and b.id < r.id and b.at < ? and not exists"
            " (select 1 from voids where review = b.id))"
        )
        return int(self._read(query, (_stamp(since), _stamp(since)))[0][0])

    def activity(self, start: datetime, end: datetime) -> int:
        """How many answers and gradings there were from start until before end."""
        query = (
            "select (select count(*) from reviews where at >= ?1 and at < ?2)"
            " + (select count(*) from attempts where at >= ?1 and at < ?2)"
        )
        return int(self._read(query, (_stamp(start), _stamp(end)))[0][0])

    def put_cards(self, cards: Iterable[Card]) -> None:
        """Fill the cache."""
        with self._writing():
            for card in cards:
                self._put_card(card)

    def _put_card(self, card: Card) -> None:
        self._connection.execute(
            "insert or replace into cards values (?, ?, ?, ?, ?)",
            (card.question, card.review, card.scheduler, _stamp(card.due), card.state),
        )

    # --- exercises ---------------------------------------------------------------------

    def record_attempt(
        self,
        exercise: str,
        passed: bool,
        mistakes: Sequence[str],
        verdict_json: str,
        now: datetime,
    ) -> Attempt:
        """Append a grading, with the number of hints shown before it."""
        import json

        with self._writing() as sql:
            shown = self.hints_shown(exercise)
            sql.execute(
                "insert into attempts (exercise, at, passed, mistakes, verdict, hints)"
                " values (?, ?, ?, ?, ?, ?)",
                (
                    exercise,
                    _stamp(now),
                    passed,
                    json.dumps(list(mistakes)),
                    verdict_json,
                    shown,
                ),
            )
        return Attempt(exercise, now, passed, tuple(mistakes), verdict_json, shown)

    def attempts(self, exercise: str | None = None) -> list[Attempt]:
        """Gradings of one exercise or of all, oldest first."""
        import json

        where = "where exercise = ?" if exercise is not None else ""
        rows = self._read(
            f"select exercise, at, passed, mistakes, verdict, hints from attempts {where}"
            " order by id",
            () if exercise is None else (exercise,),
        )
        with _decoded(self.path):
            return [
                Attempt(name, _time(at), bool(passed), tuple(json.loads(mistakes)), verdict, hints)
                for name, at, passed, mistakes, verdict, hints in rows
            ]

    def hints_shown(self, exercise: str) -> int:
        """How many hints of an exercise were shown so far."""
        return int(self._read("select count(*) from hints where exercise = ?", (exercise,))[0][0])

    def show_hint(self, exercise: str, now: datetime | None = None) -> int:
        """Note that one more hint is shown; returns how many that makes."""
        with self._writing() as sql:
            sql.execute(
                "insert into hints (exercise, at) values (?, ?)",
                (exercise, _stamp(now or datetime.now(UTC))),
            )
            return self.hints_shown(exercise)

    # --- the loop between exercises and questions --------------------------------------

    def bring_forward(self, concepts: Iterable[str], reason: str, now: datetime) -> None:
        """Make the questions on some concepts due, and say why: a full sentence."""
        with self._writing() as sql:
            for concept in dict.fromkeys(concepts):
                sql.execute(
                    "insert into due_marks (concept, reason, at) values (?, ?, ?)",
                    (concept, reason, _stamp(now)),
                )

    def due_marks(self) -> list[DueMark]:
        """The latest mark of each concept, newest first."""
        rows = self._read(
            "select concept, reason, at from due_marks where id in"
            " (select max(id) from due_marks group by concept) order by id desc"
        )
        with _decoded(self.path):
            return [DueMark(concept, reason, _time(at)) for concept, reason, at in rows]

    # --- settings ----------------------------------------------------------------------

    def setting(self, name: str) -> str:
        """The latest value of a setting; empty where it was never set, or cleared."""
        rows = self._read(
            "select value from settings where name = ? order by id desc limit 1", (name,)
        )
        return str(rows[0][0]) if rows else ""

    def set_setting(self, name: str, value: str, now: datetime) -> None:
        """Append a value; an empty one clears the setting."""
        with self._writing() as sql:
            sql.execute(
                "insert into settings (name, value, at) values (?, ?, ?)",
                (name, value, _stamp(now)),
            )

    # --- interviews --------------------------------------------------------------------

    def begin_mock(
        self, seed: int, level: str, minutes: int, session: str, now: datetime, step: str
    ) -> Mock:
        """Append an interview with its first step."""
        with self._writing() as sql:
            cursor = sql.execute(
                "insert into mocks (at, seed, level, minutes, session) values (?, ?, ?, ?, ?)",
                (_stamp(now), seed, level, minutes, session),
            )
            mock = Mock(int(cursor.lastrowid or 0), now, seed, level, minutes, session)
            self._put_step(mock, 0.0, step, now)
        return mock

    def last_mock(self) -> Mock | None:
        """The latest interview, finished or not."""
        rows = self._read(
            "select id, at, seed, level, minutes, session from mocks order by id desc limit 1"
        )
        with _decoded(self.path):
            return Mock(rows[0][0], _time(rows[0][1]), *rows[0][2:]) if rows else None

    def add_mock_step(self, mock: Mock, seconds: float, step: str, now: datetime) -> MockStep:
        """Append what happened in an interview."""
        with self._writing():
            self._put_step(mock, seconds, step, now)
        return MockStep(now, seconds, step)

    def _put_step(self, mock: Mock, seconds: float, step: str, now: datetime) -> None:
        self._connection.execute(
            "insert into mock_steps (mock, at, seconds, step) values (?, ?, ?, ?)",
            (mock.id, _stamp(now), seconds, step),
        )

    def mock_steps(self, mock: Mock) -> list[MockStep]:
        """What happened in an interview, in order."""
        rows = self._read(
            "select at, seconds, step from mock_steps where mock = ? order by id", (mock.id,)
        )
        with _decoded(self.path):
            return [MockStep(_time(at), seconds, step) for at, seconds, step in rows]

    # --- the file ----------------------------------------------------------------------

    def _prepare(self) -> None:
        """Bring a new or older file to our format, and refuse one that is not ours to write."""
        # Looked at under the write lock, so that two processes do not both create the tables.
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
            for tables in (_FORMATS[number] for number in range(version + 1, VERSION + 1)):
                for statement in tables.split(";"):
                    sql.execute(statement)
            sql.execute(f"pragma application_id = {_APPLICATION_ID}")
            sql.execute(f"pragma user_version = {VERSION}")

    def _pragma(self, name: str) -> int:
        return int(self._read(f"pragma {name}")[0][0])

    def _read(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        with _explained(self.path):
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; taking the lock first keeps two writers from failing half way."""
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
    """SQLite's errors as StoreErrors that say what to do."""
    import sqlite3

    try:
        yield
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


@contextmanager
def _decoded(path: Path) -> Iterator[None]:
    """A value that we cannot have written means a damaged file."""
    try:
        yield
    except ValueError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path} is damaged: {error}.",
        hint=f"Move it away (mv '{path}' '{path}.damaged') and a new one is made; "
        "your history is in the damaged file.",
    )


def _cannot_write(path: Path, why: str) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {why}.",
        hint="Set QUIZPREP_HOME to a folder that you may write to.",
    )


def _stamp(when: datetime) -> str:
    """UTC with microseconds, so that text order is time order."""
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
