"""Stored gradings of exercises: which were passed, at what cost, and where a learner gave up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from quizprep.grading.verdict import Slip
from quizprep.store import Attempt, Store


@dataclass(frozen=True)
class Achieved:
    """One exercise that was tried.

    attempts  how many gradings there were; giving up is not one
    costs     pairs of meter and formula, from the latest grading that passed
    gave_up   whether the solution was shown before the exercise was passed
    """

    exercise: str
    passed: bool
    attempts: int
    costs: tuple[tuple[str, str], ...]
    gave_up: bool


def achieved(attempts: Iterable[Attempt]) -> list[Achieved]:
    """Every exercise that was tried, in the order of the first tries."""
    tried: dict[str, list[tuple[Attempt, dict[str, Any]]]] = {}
    for attempt in attempts:
        tried.setdefault(attempt.exercise, []).append((attempt, _verdict(attempt)))
    return [_one(exercise, each) for exercise, each in tried.items()]


def store_surrender(store: Store, exercise: str, now: datetime) -> None:
    """Store that the solution was shown before it was earned, as an attempt that failed."""
    verdict = {"format": 1, "exercise": exercise, "passed": False, "gave_up": True, "stages": []}
    store.record_attempt(exercise, False, (), json.dumps(verdict), now)


def last_slip(store: Store, exercise: str) -> Slip | None:
    """The slip that the last grading of an exercise found, if it found one."""
    attempts = store.attempts(exercise)
    stages = _verdict(attempts[-1]).get("stages", ()) if attempts else ()
    found = next((stage.get("slip") for stage in stages if stage.get("slip")), None)
    return None if found is None else msgspec.convert(found, Slip)


def solution_is_open(store: Store, exercise: str) -> bool:
    """Whether a learner may see the solution: after passing, or after giving up."""
    return any(each.passed or each.gave_up for each in achieved(store.attempts(exercise)))


def _one(exercise: str, tried: Sequence[tuple[Attempt, dict[str, Any]]]) -> Achieved:
    passed = [verdict for attempt, verdict in tried if attempt.passed]
    gave_up = [bool(verdict.get("gave_up")) for _, verdict in tried]
    return Achieved(
        exercise=exercise,
        passed=bool(passed),
        attempts=gave_up.count(False),
        costs=_costs(passed[-1]) if passed else (),
        gave_up=any(gave_up),
    )


def _verdict(attempt: Attempt) -> dict[str, Any]:
    try:
        verdict = json.loads(attempt.verdict_json)
    except ValueError:
        return {}  # an old log may hold text in a format that is no longer written
    return verdict if isinstance(verdict, dict) else {}


def _costs(verdict: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The exact formulas of the cost stage by meter."""
    return tuple(
        (reading["meter"], reading["formula"])
        for stage in verdict.get("stages", ())
        if stage.get("name") == "cost"
        for reading in stage.get("readings", ())
        if reading.get("formula") and reading.get("meter")
    )
