"""Rating and storing an answer, and when its question is due again, by FSRS over the reviews.

A missed question comes back after ten minutes, any other after days. A day is the learner's
(``quizprep.quiz.times``): the question is due from the beginning of the day that FSRS gives, at
whatever hour it was answered, and FSRS counts the days between two answers, not the hours. Fuzzing
is off, so the same log gives the same days. The ``fsrs`` package is imported only when a card has
to be computed: the first prompt reads cached cards.

The rating comes from the mark, the hints and the time:

======================================  ======
score below 0.5                         again
score below 1                           hard
right, with a hint                      hard
right, in over twice the expected time  hard
right, in under a quarter of it         easy
right otherwise                         good
======================================  ======

Through a pipe there is no time, so nothing is ``easy`` there. The learner's own rating wins.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from quizprep.content.questions import Question
from quizprep.quiz import times
from quizprep.store import Answer, Card, Latest, Review, Store

if TYPE_CHECKING:
    import fsrs

    from quizprep.quiz.marking import Mark
    from quizprep.quiz.presented import Presented

SCHEDULER = "fsrs-6 retention=0.9 steps=10m days"
"""Cards of another scheduler or other settings are computed again."""

_STEP = timedelta(minutes=10)
_MISSED_BELOW = 0.5

EXPECTED_SECONDS: Mapping[str, float] = {
    "choice": 30, "cloze": 30, "order": 60, "growth": 60, "code": 90, "number": 120, "open": 150,
}  # fmt: skip
"""The time that an interviewer would allow, by kind of question."""


class Rating(enum.IntEnum):
    """How well a question was recalled."""

    AGAIN = 1
    HARD = 2
    GOOD = 3
    EASY = 4


def kind_of(question: Question) -> str:
    """``choice``, ``number`` and so on, as the bank writes it."""
    return str(question.__struct_config__.tag)


def rate(score: float, hints: int, seconds: float | None, kind: str) -> Rating:
    """The rating by the table above; seconds is None if the time says nothing."""
    if score < _MISSED_BELOW:
        return Rating.AGAIN
    expected = EXPECTED_SECONDS[kind]
    if score < 1 or hints or (seconds is not None and seconds > 2 * expected):
        return Rating.HARD
    if seconds is not None and seconds < expected / 4:
        return Rating.EASY
    return Rating.GOOD


def reschedule(reviews: Sequence[Review]) -> Card:
    """The card that follows from the reviews of one question, oldest first, at least one."""
    card = _replayed(reviews)
    last = reviews[-1]
    assert card.last_review is not None
    due = _due(last.at, card.due - card.last_review)
    return Card(last.question, last.id, SCHEDULER, due, card.to_json())


def _due(answered: datetime, interval: timedelta) -> datetime:
    """When an interval after an answer ends: to the minute, or with the beginning of a day."""
    if interval < timedelta(days=1):
        return answered + interval
    return times.begins(times.day_of(answered) + interval)


def record(
    store: Store,
    presented: Presented,
    reply: str,
    mark: Mark,
    at: datetime,
    seconds: float | None,
    session: str,
    hints: int = 0,
) -> Review:
    """Store an answer with its rating; seconds is None if the time says nothing."""
    answer = Answer(
        question=presented.question.id,
        at=at,
        seed=presented.seed,
        reply=reply,
        score=mark.score,
        rating=rate(mark.score, hints, seconds, kind_of(presented.question)),
        hints=hints,
        seconds=seconds,
        session=session,
    )
    return store.record_review(answer, reschedule)


def agree(store: Store, review: Review, presented: Presented, mark: Mark, at: datetime) -> Review:
    """Store the mark that the learner agreed to, if it differs from the one on record."""
    if mark.score == review.score:
        return review
    rating = rate(mark.score, review.hints, review.seconds, kind_of(presented.question))
    return store.correct_review(review, mark.score, rating, at, reschedule)


def cards_after(store: Store, latest: Mapping[str, Latest]) -> dict[str, Card]:
    """The card of every question that was answered; those missing in the cache are computed.

    latest  as ``Store.latest`` gives them
    """
    cached = store.cards()
    cards = {question: cached[question] for question in latest if question in cached}
    stale = [
        question
        for question, answer in latest.items()
        if (card := cards.get(question)) is None
        or card.review != answer.review
        or card.scheduler != SCHEDULER
    ]
    if stale:
        # A damaged file may lack the reviews of a question that its index names.
        renewed = [reschedule(log) for log in map(store.reviews, stale) if log]
        store.put_cards(renewed)
        cards |= {card.question: card for card in renewed}
    return cards


def retrievability(card: Card | None, at: datetime) -> float:
    """The probability (0 to 1) of recalling the answer at a time; 0 if never answered."""
    if card is None:
        return 0.0
    import fsrs

    known = fsrs.Card.from_json(card.state)
    return float(_scheduler().get_card_retrievability(known, _whole_day(at)))


def is_due(card: Card, at: datetime) -> bool:
    """Whether a question should be asked again by this time."""
    return card.due <= at


def next_due(cards: Iterable[Card]) -> datetime | None:
    """When the first of some questions is due."""
    return min((card.due for card in cards), default=None)


def _replayed(reviews: Sequence[Review]) -> fsrs.Card:
    import fsrs

    # A clock that was set back: no answer was given after one that was stored after it.
    days = list(accumulate((_whole_day(each.at) for each in reversed(reviews)), min))[::-1]
    # An explicit id, because the default one sleeps a millisecond to be unique.
    card = fsrs.Card(card_id=reviews[0].id, due=days[0])
    for review, day in zip(reviews, days, strict=True):
        card, _ = _scheduler().review_card(card, fsrs.Rating(review.rating), day)
    return card


def _whole_day(moment: datetime) -> datetime:
    """The learner's day as a time for FSRS, which counts whole days between times in UTC."""
    return datetime.combine(times.day_of(moment), time(), UTC)


@lru_cache(maxsize=1)
def _scheduler() -> fsrs.Scheduler:
    import fsrs

    return fsrs.Scheduler(
        desired_retention=0.9,
        learning_steps=(_STEP,),
        relearning_steps=(_STEP,),
        enable_fuzzing=False,
    )
