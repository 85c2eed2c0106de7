"""A question proves itself: right replies are right, traps are named, noise costs nothing."""

from __future__ import annotations

from collections.abc import Iterator

from quizprep.content.library import Library
from quizprep.content.parameters import fill, trap_values
from quizprep.content.questions import (
    Choice,
    Cloze,
    Code,
    Growth,
    Number,
    Open,
    Order,
    Question,
)
from quizprep.errors import ContentError, Problem
from quizprep.formula import Value
from quizprep.quiz.labels import label
from quizprep.quiz.marking import Invalid, Mark, mark, match_open, model_answer
from quizprep.quiz.posed import Posed, pose
from quizprep.quiz.units import find

SEEDS = range(8)
"""How many draws of a parameterised question are answered."""

NOISE = ("", "   ", "what?!", "((((")


def question_problems(library: Library) -> list[Problem]:
    """The problems of every question whose bank loads, by file."""
    problems = []
    for topic in library.topics:
        try:
            bank = library.bank(topic)
        except ContentError:
            continue  # said by the loader
        for question in bank.questions:
            for text in _findings(topic, question):
                problems.append(Problem(f"questions/{topic}.yaml", None, question.id, text))
    return problems


def _findings(topic: str, question: Question) -> Iterator[str]:
    for seed in SEEDS if question.given else SEEDS[:1]:
        posed = pose(topic, question, seed)
        reply = right_reply(posed)
        marked = mark(question, posed.values, reply, posed.shown)
        if not isinstance(marked, Mark) or not marked.right:
            yield f"the right reply {reply!r} is not marked right: {marked}"
            return
        yield from _trap_findings(posed)
    for noise in NOISE if isinstance(question, Number | Growth | Order | Choice) else NOISE[:2]:
        if not isinstance(mark(question, posed.values, noise, posed.shown), Invalid):
            yield f"the reply {noise!r} is marked, although it says nothing"
    if isinstance(question, Open):
        heard = match_open(question, question.model)
        missing = [str(point) for point in heard.missing]
        if missing:
            yield f"the model answer misses {', '.join(missing)}"
        if heard.wrong_claims:
            yield "the model answer contains a claim that counts as wrong"


def right_reply(posed: Posed) -> str:
    """What a learner who knows the answer would type."""
    match posed.question:
        case Choice(options=options):
            right = [row for row, place in enumerate(posed.shown) if options[place].right]
            return ", ".join(label(row) for row in right)
        case Order():
            rows = [posed.shown.index(place) for place in range(len(posed.shown))]
            return ", ".join(label(row) for row in rows)
        case Growth(answer=answer):
            return answer
        case Cloze(accept=accept):
            return fill(accept[0], posed.question, posed.values)
        case Number() | Code() | Open():
            return model_answer(posed.question, posed.values)


def _trap_findings(posed: Posed) -> Iterator[str]:
    """Each trap of a number, typed in the base unit, is named as itself."""
    question = posed.question
    if not isinstance(question, Number):
        return
    for trap, value in zip(question.traps, trap_values(question, posed.values), strict=True):
        marked = mark(question, posed.values, _typed(value, question))
        if not isinstance(marked, Mark) or marked.score >= 1 or marked.trap is None:
            yield f"the trap {trap.gives!r} is not named for {posed.values}: {marked}"


def _typed(value: Value, question: Number) -> str:
    """A value of the base unit as a learner types it, in the question's unit."""
    unit = find(question.unit)
    factor = float(unit.factor) if unit is not None else 1.0
    return f"{float(value) / factor!r} {question.unit}"
