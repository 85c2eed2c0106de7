"""Chains of questions: deeper after a good answer, back to an easier one after a poor one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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


def chain_to_ask(chains: Sequence[Chain], asked: Mapping[str, int], left: str = "") -> Chain | None:
    """The chain to ask: the one whose questions were, on the average, answered longest ago; None
    without chains. All of its questions count, since several chains may share some.

    asked  the number of the last answer to each question, from 1 on; numbers grow
    left   the first question of the chain that was last left without an answer: chains that begin
           with it come last
    """

    def order(chain: Chain) -> tuple[bool, float]:
        mean = sum(asked.get(step.ask, 0) for step in chain.steps) / len(chain.steps)
        return chain.steps[0].ask == left, mean

    return min(chains, key=order, default=None)


def place_in(chain: Chain, question: Id) -> str:
    """Where a question stands: ``2 of 4``, or ``back from 2 of 4`` for an easier one."""
    for number, step in enumerate(chain.steps, 1):
        if question in (step.ask, step.back):
            return f"{'' if step.ask == question else 'back from '}{number} of {len(chain.steps)}"
    raise ValueError(question)


def is_deeper(chain: Chain, question: Id) -> bool:
    """Whether a question is a step of the chain, and no easier one that a poor answer leads to."""
    return any(step.ask == question for step in chain.steps)
