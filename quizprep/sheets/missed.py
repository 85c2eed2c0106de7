"""What a learner misses, out of the log: which questions, why, and the weakest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from quizprep.content.questions import Question
from quizprep.store import DueMark, Review

RECENT = 4
"""Only so many of the latest answers to a question count."""


def missed(
    questions: Iterable[Question], reviews: Sequence[Review], marks: Sequence[DueMark]
) -> dict[str, str]:
    """The questions to work on, the weakest first, each with the reason as a sentence.

    A question is missed while its latest answer was not right, or where fewer than three in
    four of its latest answers were. One that was not answered since a mistake in an exercise
    named its concept is shown with that mistake.

    reviews  of all questions, oldest first
    marks    as ``Store.due_marks`` gives them
    """
    history = _by_question(reviews)
    found: list[tuple[float, str, str]] = []
    for question in questions:
        latest = history.get(question.id, [])[-RECENT:]
        mark = _waiting(question, latest, marks)
        score = sum(review.score for review in latest) / len(latest) if latest else 0.0
        if latest and (latest[-1].score < 1 or score < 0.75):
            found.append((score, question.id, _reason(latest)))
        elif mark is not None:
            found.append((score, question.id, mark.reason))
    return {name: reason for _, name, reason in sorted(found, key=lambda each: each[0])}


def _by_question(reviews: Iterable[Review]) -> Mapping[str, list[Review]]:
    ordered = sorted(reviews, key=lambda review: (review.question, review.id))
    return {name: list(group) for name, group in groupby(ordered, key=lambda r: r.question)}


def _waiting(
    question: Question, latest: Sequence[Review], marks: Iterable[DueMark]
) -> DueMark | None:
    since: datetime | None = latest[-1].at if latest else None
    for mark in marks:
        if mark.concept in question.concepts and (since is None or since < mark.at):
            return mark
    return None


def _reason(latest: Sequence[Review]) -> str:
    right = sum(review.score >= 1 for review in latest)
    day = f"{latest[-1].at:%d %B %Y}".lstrip("0")
    if len(latest) == 1:
        partly = "partly right" if latest[-1].score > 0 else "not right"
        return f"Answered once, {partly}, on {day}."
    return f"Right {right} of the last {len(latest)} times; last answered on {day}."
