"""From a mistake to the questions on its concept: what storing a grading brings about.

A grading is stored as an attempt, and every mistake that it names makes the questions on its
concept due. The way back, from a missed question to the exercise that trains it, is in
``quizprep.quiz.weakness``, with the rule for how long a mistake waits.
"""

from __future__ import annotations

import json
from datetime import datetime

from quizprep.content.library import Library, shipped_root
from quizprep.grading.verdict import Verdict
from quizprep.store import Store


def store_attempt(store: Store, verdict: Verdict, now: datetime) -> tuple[str, ...]:
    """Store a grading and bring questions forward; returns the topics that ask them.

    A grading in which the grader itself failed says nothing about the learner and is not stored.
    """
    if any(stage.status == "error" for stage in verdict.stages):
        return ()
    mistakes = [mistake.id for mistake in verdict.mistakes]
    store.record_attempt(verdict.exercise, verdict.passed, mistakes, verdict.json().decode(), now)
    for mistake in verdict.mistakes:
        reason = f"Your {verdict.exercise} had the mistake {mistake.id}."
        store.bring_forward([mistake.concept], reason, now)
    return topics_behind(verdict)


def topics_behind(verdict: Verdict) -> tuple[str, ...]:
    """The shipped topics that ask about the concepts of the mistakes that were named."""
    concepts = {mistake.concept for mistake in verdict.mistakes}
    if not concepts:
        return ()
    asked = Library(shipped_root()).questions.values()
    return tuple(sorted({topic for topic, q in asked if concepts.intersection(q.concepts)}))


def store_surrender(store: Store, exercise: str, now: datetime) -> None:
    """Store that the solution was looked at before it was passed, as an attempt that failed."""
    verdict = {"format": 1, "exercise": exercise, "passed": False, "gave_up": True, "stages": []}
    store.record_attempt(exercise, False, (), json.dumps(verdict), now)


def solution_is_open(store: Store, exercise: str) -> bool:
    """Whether a learner may see the solution: it was passed, or given up on before."""
    return any(
        attempt.passed or json.loads(attempt.verdict_json).get("gave_up")
        for attempt in store.attempts(exercise)
    )
