"""What the program remembers: a SQLite file, append-only, one transaction an answer.

``reviews``      answers; a log
``corrections``  of reviews, by the learner; the latest one of a review holds
``voids``        reviews that were taken back: they stay on record and no longer count
``attempts``     gradings of exercises; a log
``hints``        a row for each hint of an exercise that was shown
``due_marks``    concepts that were brought forward, and why
``settings``     a log; the latest value of a name holds
``bookmarks``    of questions, with a note; the latest row of a question holds
``resets``       times from which on an exercise counts as not tried
``mocks``        interviews, and in ``mock_steps`` what happened in each
``cards``        the schedule that follows from the log; a cache, the only table overwritten

Whatever kills the process, an answer that was recorded stays: SQLite commits before
``record_review`` returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from quizprep.errors import StoreError
from quizprep.store.database import (
    FILE_NAME,
    VERSION,
    Database,
    cells,
    default_home,
    find_home,
    time,
)
from quizprep.store.records import (
    Answer,
    Attempt,
    Card,
    DueMark,
    Interview,
    InterviewStep,
    Latest,
    Reschedule,
    Review,
)

__all__ = [
    "FILE_NAME", "RECENT", "VERSION", "Answer", "Attempt", "Card", "DueMark", "Interview",
    "InterviewStep", "Latest", "Reschedule", "Review", "Store", "default_home", "find_home",
]  # fmt: skip

RECENT = 4
"""How many of the latest answers to a question its score is made of."""

_EFFECTIVE = """
select r.question, r.at, r.seed, r.reply, coalesce(c.score, r.score),
       coalesce(c.rating, r.rating), r.hints, r.seconds, r.session, r.id
from reviews r left join corrections c
  on c.id = (select max(id) from corrections where review = r.id)
where not exists (select 1 from voids where review = r.id)
"""

# Jumps from question to question along the index, so that the time depends on the number of
# questions, not of reviews.
_LATEST = """
with recursive asked (question) as (
    select min(question) from reviews
    union all
    select (select min(question) from reviews where question > asked.question)
    from asked where asked.question is not null
)
select r.question, r.id, r.at, coalesce(c.score, r.score)
from asked join reviews r
  on r.id in (
    select id from reviews l where l.question = asked.question
    and not exists (select 1 from voids where review = l.id) order by id desc limit ?
  )
left join corrections c
  on c.id = (select max(id) from corrections where review = r.id)
order by r.question, r.id
"""

_SINCE_RESET = "not exists (select 1 from resets where exercise = a.exercise and at > a.at)"


class Store(Database):
    """An open store, made by ``Store.open``; use it in a ``with`` block or ``close`` it."""

    # --- questions ---------------------------------------------------------------------

    def record_review(self, answer: Answer, reschedule: Reschedule) -> Review:
        """Append an answer and replace the card of its question, both or neither."""
        reply = answer.reply.encode("utf-8", "replace").decode("utf-8")
        with self._writing():
            review = self._insert("reviews", **{**vars(answer), "reply": reply})
            return self._rescheduled(answer.question, review, reschedule)

    def correct_review(
        self, review: Review, score: float, rating: int, now: datetime, reschedule: Reschedule
    ) -> Review:
        """Append the learner's own score or rating of a review; the first stays on record."""
        with self._writing():
            self._insert("corrections", review=review.id, score=score, rating=rating, at=now)
            if self._read("select 1 from voids where review = ?", review.id):
                return replace(review, score=score, rating=rating)  # taken back meanwhile
            return self._rescheduled(review.question, review.id, reschedule)

    def void_review(self, review: Review, now: datetime, reschedule: Reschedule) -> None:
        """Take an answer back: it stays on record, and everything else forgets it."""
        with self._writing() as sql:
            self._insert("voids", review=review.id, at=now)
            history = self.reviews(review.question)
            if history:
                self._put_card(reschedule(history))
            else:
                sql.execute("delete from cards where question = ?", (review.question,))

    def void_questions(self, questions: Iterable[str], now: datetime) -> int:
        """Take every answer to some questions back, all or none; returns how many there were."""
        count = 0
        with self._writing() as sql:
            for question in questions:
                count += sql.execute(
                    "insert into voids (review, at) select id, ? from reviews r where question = ?"
                    " and not exists (select 1 from voids where review = r.id)",
                    cells((now, question)),
                ).rowcount
                sql.execute("delete from cards where question = ?", (question,))
        return count

    def _rescheduled(self, question: str, review: int, reschedule: Reschedule) -> Review:
        history = self.reviews(question)
        self._put_card(reschedule(history))
        found = next((each for each in history if each.id == review), None)
        if found is None:
            raise StoreError(
                f"An import into {self.path} moved this answer meanwhile.",
                hint="The answer is kept as it was first marked; start again.",
            )
        return found

    def reviews(self, question: str | None = None) -> list[Review]:
        """Reviews of one question or of all that were not taken back, oldest first."""
        if question is None:
            return self._reviews("order by r.id")
        return self._reviews("and r.question = ? order by r.id", question)

    def last_review(self) -> Review | None:
        """The latest answer, without those taken back."""
        return next(iter(self._reviews("order by r.id desc limit 1")), None)

    def _reviews(self, rest: str, *values: object) -> list[Review]:
        return self._records(
            lambda question, at, *others: Review(question, time(at), *others),
            f"{_EFFECTIVE} {rest}",
            *values,
        )

    def cards(self) -> dict[str, Card]:
        """The cached card of every question that was ever answered."""
        cards = self._records(
            lambda question, review, scheduler, due, state: Card(
                question, review, scheduler, time(due), state
            ),
            "select question, review, scheduler, due, state from cards",
        )
        return {card.question: card for card in cards}

    def latest(self, recent: int = RECENT) -> dict[str, Latest]:
        """The latest answers by question, for every question that was answered.

        recent  how many answers at most; where no scores are wanted, one is read in half the time
        """
        rows = self._records(lambda *row: (*row[:2], time(row[2]), row[3]), _LATEST, recent)
        found: dict[str, Latest] = {}
        for question, group in groupby(rows, key=lambda row: row[0]):
            answers = list(group)
            _, review, at, _ = answers[-1]
            found[question] = Latest(review, at, tuple(score for *_, score in answers))
        return found

    def first_answers(self, since: datetime) -> int:
        """How many questions were answered for the first time since a time."""
        query = (
            "select count(distinct question) from reviews r where at >= ?1 and not exists"
            " (select 1 from voids where review = r.id) and not exists (select 1 from reviews b"
            " where b.question = r.question and b.id < r.id and b.at < ?1 and not exists"
            " (select 1 from voids where review = b.id))"
        )
        return int(self._value(query, since))

    def activity(self, start: datetime, end: datetime) -> int:
        """How many answers and gradings there were from start to before end."""
        query = (
            "select (select count(*) from reviews where at >= ?1 and at < ?2)"
            " + (select count(*) from attempts where at >= ?1 and at < ?2)"
        )
        return int(self._value(query, start, end))

    def put_cards(self, cards: Iterable[Card]) -> None:
        """Cache some cards."""
        with self._writing():
            for card in cards:
                self._put_card(card)

    def _put_card(self, card: Card) -> None:
        self._insert("cards", replacing=True, **vars(card))

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

        with self._writing():
            shown = self.hints_shown(exercise)
            self._insert(
                "attempts",
                exercise=exercise,
                at=now,
                passed=passed,
                mistakes=json.dumps(list(mistakes)),
                verdict=verdict_json,
                hints=shown,
            )
        return Attempt(exercise, now, passed, tuple(mistakes), verdict_json, shown)

    def attempts(self, exercise: str | None = None) -> list[Attempt]:
        """Gradings of one exercise or of all, oldest first."""
        import json

        where = "and exercise = ?" if exercise is not None else ""
        return self._records(
            lambda name, at, passed, mistakes, verdict, hints: Attempt(
                name, time(at), bool(passed), tuple(json.loads(mistakes)), verdict, hints
            ),
            "select exercise, at, passed, mistakes, verdict, hints from attempts a"
            f" where {_SINCE_RESET} {where} order by id",
            *(() if exercise is None else (exercise,)),
        )

    def reset_exercise(self, exercise: str, now: datetime) -> None:
        """Let gradings and hints of an exercise count no longer; they stay on record."""
        with self._writing():
            self._insert("resets", exercise=exercise, at=now)

    def hints_shown(self, exercise: str) -> int:
        """How many hints of an exercise were shown so far."""
        query = f"select count(*) from hints a where {_SINCE_RESET} and exercise = ?"
        return int(self._value(query, exercise))

    def show_hint(self, exercise: str, now: datetime) -> int:
        """Record that one more hint is shown; returns the new count."""
        with self._writing():
            self._insert("hints", exercise=exercise, at=now)
            return self.hints_shown(exercise)

    # --- the loop between exercises and questions --------------------------------------

    def bring_forward(self, concepts: Iterable[str], reason: str, now: datetime) -> None:
        """Make the questions on some concepts due; the reason is a full sentence."""
        with self._writing():
            for concept in dict.fromkeys(concepts):
                self._insert("due_marks", concept=concept, reason=reason, at=now)

    def due_marks(self) -> list[DueMark]:
        """The latest mark of each concept, newest first."""
        return self._records(
            lambda concept, reason, at: DueMark(concept, reason, time(at)),
            "select concept, reason, at from due_marks where id in"
            " (select max(id) from due_marks group by concept) order by id desc",
        )

    # --- bookmarks ---------------------------------------------------------------------

    def bookmark(self, question: str, note: str, now: datetime, kept: bool = True) -> None:
        """Bookmark a question with a note, which may be empty, or (not kept) drop the bookmark."""
        text = note.encode("utf-8", "replace").decode("utf-8")
        with self._writing():
            self._insert("bookmarks", question=question, kept=int(kept), note=text, at=now)

    def bookmarks(self) -> dict[str, str]:
        """The note of every bookmarked question, the latest first."""
        rows = self._read(
            "select question, note, kept from bookmarks where id in"
            " (select max(id) from bookmarks group by question) order by id desc"
        )
        return {question: note for question, note, kept in rows if kept}

    # --- settings ----------------------------------------------------------------------

    def setting(self, name: str) -> str:
        """The latest value of a setting; empty if it was never set, or cleared."""
        rows = self._read(
            "select value from settings where name = ? order by id desc limit 1", name
        )
        return str(rows[0][0]) if rows else ""

    def set_setting(self, name: str, value: str, now: datetime) -> None:
        """Append a value; an empty one clears the setting."""
        with self._writing():
            self._insert("settings", name=name, value=value, at=now)

    # --- interviews --------------------------------------------------------------------

    def begin_interview(
        self, seed: int, level: str, minutes: int, session: str, now: datetime, step: str
    ) -> Interview:
        """Append an interview with its first step."""
        with self._writing():
            id = self._insert(
                "mocks", at=now, seed=seed, level=level, minutes=minutes, session=session
            )
            interview = Interview(id, now, seed, level, minutes, session)
            self._put_step(interview, InterviewStep(now, 0.0, step))
        return interview

    def last_interview(self) -> Interview | None:
        """The latest interview, finished or not."""
        found = self._records(
            lambda id, at, *others: Interview(id, time(at), *others),
            "select id, at, seed, level, minutes, session from mocks order by id desc limit 1",
        )
        return found[0] if found else None

    def add_step(
        self, interview: Interview, seconds: float, step: str, now: datetime
    ) -> InterviewStep:
        """Append a step of an interview."""
        added = InterviewStep(now, seconds, step)
        with self._writing():
            self._put_step(interview, added)
        return added

    def _put_step(self, interview: Interview, step: InterviewStep) -> None:
        self._insert("mock_steps", mock=interview.id, **vars(step))

    def steps(self, interview: Interview) -> list[InterviewStep]:
        """The steps of an interview, in order."""
        return self._records(
            lambda at, seconds, step: InterviewStep(time(at), seconds, step),
            "select at, seconds, step from mock_steps where mock = ? order by id",
            interview.id,
        )
