"""The order in which exercises are best taken."""

from __future__ import annotations

from collections.abc import Iterable

from quizprep.content.library import Exercise
from quizprep.content.questions import Level

_RANK = {level: rank for rank, level in enumerate(Level)}


def path_order(exercises: Iterable[Exercise]) -> list[Exercise]:
    """Every exercise after those it names in ``after``; the easier and shorter of two first.

    A prerequisite that does not exist holds nothing up. Exercises that wait for each other come
    last; that they do is for the content check to say.
    """
    waiting = sorted(exercises, key=_effort)
    ordered: list[Exercise] = []
    while waiting:
        missing = {exercise.id for exercise in waiting}
        free = (e for e in waiting if missing.isdisjoint(e.spec.after))
        chosen = next(free, waiting[0])
        ordered.append(chosen)
        waiting.remove(chosen)
    return ordered


def _effort(exercise: Exercise) -> tuple[int, int, str]:
    return _RANK[exercise.spec.level], exercise.spec.minutes, exercise.id
