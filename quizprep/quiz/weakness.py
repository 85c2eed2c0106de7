"""What a learner is weak in, and what trains it: the one rule that every command follows.

*Question*: its score is that of its latest answer or the mean of its latest four, whichever is
lower. It is weak while the score is below three in four. So a miss counts at once, and one right
answer after three misses does not make up for them.

*Mistake*: one that was named in an exercise waits until three questions on its concept were
answered since, or all of them if there are fewer. While it waits, every question on the concept
that was not answered since is weak too, and ``quizprep ask`` brings three of them forward.

*Concept*: it is weak while one of its questions is, or while a mistake on it waits. Its score is
that of its weakest question.

``quizprep``, ``progress`` and ``sheet --weak`` show this, ``ask`` and ``mock`` add answers to it,
``grade`` adds mistakes. The summary of a round and the debrief of an interview list what was
missed just now, which need not be weak yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from quizprep.content.library import Exercise, Library, path_order
from quizprep.content.questions import Question
from quizprep.errors import ContentError
from quizprep.store import Attempt, DueMark, Latest

ENOUGH = 0.75
ANSWERS_TO_SETTLE = 3
"""How many questions on its concept a named mistake brings forward, and how many settle it."""

Answers = Mapping[str, Latest]
"""The latest answers by question, as ``Store.latest`` gives them."""


@dataclass(frozen=True)
class Weakness:
    """A weak concept.

    score     that of its weakest question, 0 to 1; None if none was answered
    answered  how many of its questions were answered
    mistake   the sentence about the mistake that waits; empty if none does
    """

    concept: str
    score: float | None
    answered: int
    mistake: str = ""


def score(answers: Latest) -> float:
    """The score of a question by the rule above."""
    return min(answers.scores[-1], sum(answers.scores) / len(answers.scores))


def answered_since(question: Question, mark: DueMark, answers: Answers) -> bool:
    """Whether a question was answered after a mistake was named."""
    return question.id in answers and answers[question.id].at >= mark.at


def to_settle(mark: DueMark, questions: Iterable[Question], answers: Answers) -> int:
    """How many answers a mistake still waits for; 0 if it is settled.

    questions  where to look for questions on its concept
    """
    since = [answered_since(q, mark, answers) for q in questions if mark.concept in q.concepts]
    return max(0, min(ANSWERS_TO_SETTLE, len(since)) - sum(since))


def weak_questions(
    questions: Sequence[Question], answers: Answers, marks: Sequence[DueMark]
) -> dict[str, str]:
    """The weak questions, the weakest first, each with the reason as a sentence.

    marks  as ``Store.due_marks`` gives them
    """
    waiting = [mark for mark in marks if to_settle(mark, questions, answers)]
    found: list[tuple[float, str, str]] = []
    for question in questions:
        known = answers.get(question.id)
        if known and score(known) < ENOUGH:
            found.append((score(known), question.id, _reason(known)))
            continue
        for mark in waiting:
            if mark.concept in question.concepts and not answered_since(question, mark, answers):
                found.append((score(known) if known else 0.0, question.id, mark.reason))
                break
    return {id: reason for _, id, reason in sorted(found, key=lambda each: each[0])}


def weaknesses(
    questions: Sequence[Question], answers: Answers, marks: Sequence[DueMark]
) -> list[Weakness]:
    """The weak concepts: those with a mistake waiting first, then the lowest scores."""
    scores: dict[str, list[float]] = {}
    for question in questions:
        for concept in question.concepts:
            known = answers.get(question.id)
            scores.setdefault(concept, []).extend([score(known)] if known else [])
    waiting = {m.concept: m.reason for m in marks if to_settle(m, questions, answers)}
    found = [
        Weakness(concept, min(each, default=None), len(each), waiting.get(concept, ""))
        for concept, each in sorted(scores.items())
    ]
    weak = [w for w in found if w.mistake or (w.score is not None and w.score < ENOUGH)]
    return sorted(weak, key=lambda w: (not w.mistake, w.score or 0, -w.answered))


def _reason(answers: Latest) -> str:
    right = sum(score >= 1 for score in answers.scores)
    day = f"{answers.at:%d %B %Y}".lstrip("0")
    if len(answers.scores) == 1:
        partly = "partly right" if answers.scores[0] > 0 else "not right"
        return f"Answered once, {partly}, on {day}."
    return f"Right {right} of the last {len(answers.scores)} times; last answered on {day}."


# --- the way back: from a question to the exercise that trains it ------------------------------


def exercise_for(library: Library, concept: str) -> str | None:
    """The exercise that trains a concept best: the one most about it, else one that a question on
    it names."""
    try:
        on_it = [e for e in library.exercises if concept in e.spec.concepts]
    except ContentError:
        on_it = []  # `quizprep check` reports a broken exercise
    if on_it:
        return min(on_it, key=lambda e: (e.spec.concepts.index(concept), e.spec.minutes)).id
    for topic in library.topics:
        for question in library.bank(topic).questions:
            if concept in question.concepts and question.exercise:
                return question.exercise
    return None


def training_for(library: Library, missed: Iterable[Question]) -> Iterator[tuple[str, str | None]]:
    """Every concept of the questions that were missed, and the exercise that trains it.

    An exercise that a question names wins, if it trains this concept too.
    """
    named: dict[str, str | None] = {}
    for question in missed:
        for concept in question.concepts:
            named[concept] = named.get(concept) or question.exercise
    for concept, exercise in named.items():
        known = exercise in library.exercise_ids
        if exercise and known and concept in library.exercise(exercise).spec.concepts:
            yield concept, exercise
        else:
            yield concept, exercise_for(library, concept) or exercise


def training_command(exercise: str, tried: bool) -> str:
    """The command to work on an exercise; a first attempt begins with its starter."""
    return f"quizprep {'grade' if tried else 'start'} {exercise}"


def tried_exercises(attempts: Iterable[Attempt]) -> dict[str, bool]:
    """The exercises that were graded or given up, and whether they were passed."""
    tried: dict[str, bool] = {}
    for attempt in attempts:
        tried[attempt.exercise] = tried.get(attempt.exercise, False) or attempt.passed
    return tried


def command_for(
    library: Library, concept: str, tried: Mapping[str, bool], exercise: str | None = None
) -> str:
    """The command that trains a concept: its exercise, or its questions while an exercise that
    comes before was not passed; empty if there is neither.

    tried     as ``tried_exercises`` gives them
    exercise  the one to work on; the one that trains the concept best if None
    """
    chosen = exercise or exercise_for(library, concept)
    known = chosen in library.exercise_ids
    if chosen and known and chosen not in tried:
        before = [e for e in library.exercise(chosen).spec.after if e in library.exercise_ids]
        known = all(tried.get(each) for each in before)
    if chosen and (known or concept not in library.concepts):
        return training_command(chosen, chosen in tried)
    has_questions = any(
        concept in q.concepts for topic in library.topics for q in library.bank(topic).questions
    )
    return f"quizprep ask {concept}" if has_questions else ""


def next_exercise(library: Library, attempts: Iterable[Attempt]) -> Exercise | None:
    """The first exercise on the path that was not passed; None if all were."""
    passed = {attempt.exercise for attempt in attempts if attempt.passed}
    return next((each for each in path_order(library.exercises) if each.id not in passed), None)


def concept_title(library: Library, concept: str) -> str:
    """The name of a concept for people."""
    known = library.concepts.get(concept)
    return known.title if known else concept
