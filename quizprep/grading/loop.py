"""From a mistake to the questions on its concept: what storing a grading brings about.

A grading is stored as an attempt, and every mistake that it names makes the questions on its
concept due. The way back, from a missed question to the exercise that trains it, is in
``quizprep.quiz.weakness``, with the rule for how long a mistake waits.
"""

from __future__ import annotations

from datetime import datetime

from quizprep.content.library import Library, shipped_root
from quizprep.grading.verdict import Verdict
from quizprep.store import Store


def store_attempt(store: Store, verdict: Verdict, now: datetime) -> None:
    """Store a grading, and make the questions on every mistake that it names due.

    A grading in which the grader itself failed says nothing about the learner and is not stored.
    """
    if verdict.faulty:
        return
    mistakes = [mistake.id for mistake in verdict.mistakes]
    store.record_attempt(verdict.exercise, verdict.passed, mistakes, verdict.json().decode(), now)
    for mistake in verdict.mistakes:
        reason = f"Your {verdict.exercise} had the mistake {mistake.id}."
        store.bring_forward([mistake.concept], reason, now)


def topics_behind(verdict: Verdict) -> tuple[str, ...]:
    """The shipped topics that ask about the concepts of the mistakes that were named."""
    concepts = {mistake.concept for mistake in verdict.mistakes}
    if not concepts:
        return ()
    asked = Library(shipped_root()).questions.values()
    return tuple(sorted({topic for topic, q in asked if concepts.intersection(q.concepts)}))
