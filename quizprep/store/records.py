"""What the store holds, as its readers see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Answer:
    """One answer, as it is recorded.

    seed     of the draw that it answers
    score    0 to 1
    rating   1 again, 2 hard, 3 good, 4 easy
    hints    how many were shown before it
    seconds  how long it took; None if that says nothing, as through a pipe
    session  the round or interview it belongs to
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
    """The latest answers to a question, without those taken back.

    review  the id of the last one
    at      the time of the last one
    scores  of as many answers as were asked for, oldest first, as last corrected
    """

    review: int
    at: datetime
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Card:
    """The schedule of a question, made from its reviews; ``state`` is the scheduler's own text."""

    question: str
    review: int
    scheduler: str
    due: datetime
    state: str


@dataclass(frozen=True)
class Attempt:
    """One grading of an exercise; ``hints`` is how many were shown before it."""

    exercise: str
    at: datetime
    passed: bool
    mistakes: tuple[str, ...]
    verdict_json: str
    hints: int


@dataclass(frozen=True)
class DueMark:
    """A concept that was brought forward because a mistake was named; ``reason`` says which."""

    concept: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Interview:
    """One interview; its answers are the reviews of ``session``. An empty ``level`` means any."""

    id: int
    at: datetime
    seed: int
    level: str
    minutes: int
    session: str


@dataclass(frozen=True)
class InterviewStep:
    """A step of an interview, as JSON, and the seconds it took."""

    at: datetime
    seconds: float
    step: str


Reschedule = Callable[[Sequence[Review]], Card]
"""From every review of one question, oldest first, to its card."""
