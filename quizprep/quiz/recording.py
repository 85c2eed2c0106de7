"""An answer becomes a review: rated, stored and scheduled in one transaction."""

from __future__ import annotations

from datetime import datetime

from quizprep.quiz.marking import Mark
from quizprep.quiz.presented import Posed
from quizprep.quiz.scheduling import kind_of, rate, reschedule
from quizprep.store import Answer, Review, Store


def record(
    store: Store,
    posed: Posed,
    reply: str,
    mark: Mark,
    at: datetime,
    seconds: float | None,
    session: str,
    hints: int = 0,
) -> Review:
    """Store an answer; seconds is None where time says nothing."""
    answer = Answer(
        question=posed.question.id,
        at=at,
        seed=posed.seed,
        reply=reply,
        score=mark.score,
        rating=rate(mark.score, hints, seconds, kind_of(posed.question)),
        hints=hints,
        seconds=seconds,
        session=session,
    )
    return store.record_review(answer, reschedule)


def agree(store: Store, review: Review, posed: Posed, mark: Mark, at: datetime) -> Review:
    """Store the mark that the learner agreed to, where it differs from the one recorded."""
    if mark.score == review.score:
        return review
    rating = rate(mark.score, review.hints, review.seconds, kind_of(posed.question))
    return store.correct_review(review, mark.score, rating, at, reschedule)
