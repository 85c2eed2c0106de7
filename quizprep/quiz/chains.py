"""Chains of questions: deeper after a good answer, back to an easier one after a poor one."""

from __future__ import annotations

from collections.abc import Iterable

from quizprep.content.questions import Chain, Id

GOOD = 0.75
"""The mark from which an answer is good enough to go deeper; rough rounding still is."""


def next_in_chain(chain: Chain, answers: Iterable[tuple[Id, float]]) -> Id | None:
    """The question that an interviewer asks next; None if the chain is over.

    A good answer leads to the next step. A poor one leads to the step's easier question, if it has
    one: a good answer there leads on to the next step, since the step itself has been explained; a
    poor one ends the chain.

    answers  question and mark from 0 to 1, the earliest first; of a question that was asked twice
             the last one counts, and questions outside the chain are ignored
    """
    marks = dict(answers)
    for step in chain.steps:
        if step.ask not in marks:
            return step.ask
        if marks[step.ask] >= GOOD:
            continue
        if step.back is None:
            return None
        if step.back not in marks:
            return step.back
        if marks[step.back] < GOOD:
            return None
    return None
