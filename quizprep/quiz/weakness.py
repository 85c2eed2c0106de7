"""Which concepts a learner is weak in, out of the latest answers and the mistakes that were named.

A concept is weak while a mistake on it was named in an exercise and no question on it was
answered since, or while the latest answers to its questions are worth less than three in four.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from quizprep.content.library import Library
from quizprep.content.questions import Question
from quizprep.errors import ContentError
from quizprep.store import DueMark, Latest

ENOUGH = 0.75


@dataclass(frozen=True)
class Weakness:
    """A weak concept.

    score     the mean of the latest answers to its questions, 0 to 1; None if none was answered
    answered  how many of its questions that is
    mistake   the sentence about the mistake that was named, where one waits; else empty
    """

    concept: str
    score: float | None
    answered: int
    mistake: str = ""


def weaknesses(
    questions: Iterable[Question], latest: Mapping[str, Latest], marks: Sequence[DueMark]
) -> list[Weakness]:
    """The weak concepts: those with a mistake waiting first, then the lowest scores."""
    answers: dict[str, list[Latest]] = {}
    asked: set[str] = set()
    for question in questions:
        asked.update(question.concepts)
        if answer := latest.get(question.id):
            for concept in question.concepts:
                answers.setdefault(concept, []).append(answer)
    waiting = {
        mark.concept: mark.reason
        for mark in marks
        if mark.concept in asked and not _answered_since(answers.get(mark.concept, ()), mark.at)
    }
    found = [_weakness(concept, answers.get(concept, []), waiting) for concept in sorted(asked)]
    weak = [each for each in found if each.mistake or _falls_short(each)]
    return sorted(weak, key=lambda each: (not each.mistake, each.score or 0, -each.answered))


def _falls_short(weakness: Weakness) -> bool:
    return weakness.score is not None and weakness.score < ENOUGH


def _answered_since(answers: Iterable[Latest], at: datetime) -> bool:
    return any(answer.at >= at for answer in answers)


def _weakness(concept: str, answers: Sequence[Latest], waiting: Mapping[str, str]) -> Weakness:
    score = sum(answer.score for answer in answers) / len(answers) if answers else None
    return Weakness(concept, score, len(answers), waiting.get(concept, ""))


def exercise_for(library: Library, concept: str) -> str | None:
    """The exercise that trains a concept best: one that is about it before all, one that lists
    it, or one that a question on it names."""
    try:
        on_it = [e for e in library.exercises if concept in e.spec.concepts]
    except ContentError:
        on_it = []  # a broken exercise is reported by `quizprep check`, not here
    if on_it:
        return min(on_it, key=lambda e: (e.spec.concepts.index(concept), e.spec.minutes)).id
    for topic in library.topics:
        for question in library.bank(topic).questions:
            if concept in question.concepts and question.exercise:
                return question.exercise
    return None


def concept_title(library: Library, concept: str) -> str:
    """The concept's name for people."""
    known = library.concepts.get(concept)
    return known.title if known else concept
