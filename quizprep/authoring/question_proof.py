"""Proofs that a question is marked as it should be: right replies, wrong ones, traps, noise."""

from __future__ import annotations

from collections.abc import Iterator

from quizprep.authoring.bank_checks import loaded_banks
from quizprep.content.draws import answer_value, fill, trap_values
from quizprep.content.library import Library
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
from quizprep.errors import Problem
from quizprep.formula import Value
from quizprep.maths import plain
from quizprep.quiz.marking import Invalid, Mark, mark, match_open, model_answer
from quizprep.quiz.presented import Presented, label, present
from quizprep.units import find

SEEDS = range(24)
"""How many draws of a parameterised question are answered."""

NOISE = ("", "   ", "what?!", "((((")
NONSENSE = "no answer at all"
"""A reply that can be read where any text is one, and is never right."""


def question_problems(library: Library) -> list[Problem]:
    """What the proofs find in every bank that loads, by file."""
    return [
        Problem(f"questions/{topic}.yaml", None, question.id, text)
        for topic, bank in loaded_banks(library).items()
        for question in bank.questions
        for text in _findings(topic, question)
    ]


def _findings(topic: str, question: Question) -> Iterator[str]:
    for seed in SEEDS if question.given else SEEDS[:1]:
        presented = present(topic, question, seed)
        reply = right_reply(presented)
        marked = mark(question, presented.values, reply, presented.shown)
        if isinstance(question, Open):
            yield from _heard_findings(question)
        elif not isinstance(marked, Mark) or not marked.right:
            yield f"the right reply {reply!r} is not marked right: {marked}"
            return
        yield from _wrong_findings(presented)
        yield from _trap_findings(presented)
    for noise in NOISE if isinstance(question, Number | Growth | Order | Choice) else NOISE[:2]:
        if not isinstance(mark(question, presented.values, noise, presented.shown), Invalid):
            yield f"the reply {noise!r} is marked, although it says nothing"


def _heard_findings(question: Open) -> Iterator[str]:
    """The model answer must say every point, each point itself, and no correction accuse."""
    heard = match_open(question, plain(question.model))
    if heard.missing:
        yield f"the model answer misses {', '.join(point.id for point in heard.missing)}"
    if heard.wrong_claims:
        yield "the model answer contains a claim that counts as wrong"
    for point in question.points:
        heard = match_open(question, plain(point.says))
        if point not in heard.covered:
            yield f"the point {point.id} is not heard in its own words; add a wording for them"
        if heard.wrong_claims:
            yield f"the point {point.id} counts as a wrong claim: {heard.wrong_claims[0].says}"
    for claim in question.wrong:
        if claim in match_open(question, plain(claim.says)).wrong_claims:
            yield f"who corrects a wrong claim is taken to make it: {claim.says}"


def right_reply(presented: Presented) -> str:
    """The reply of a learner who knows the answer."""
    match presented.question:
        case Choice(options=options):
            right = [row for row, place in enumerate(presented.shown) if options[place].right]
            return ", ".join(label(row) for row in right)
        case Order():
            rows = [presented.shown.index(place) for place in range(len(presented.shown))]
            return ", ".join(label(row) for row in rows)
        case Growth(answer=answer):
            return answer
        case Cloze(accept=accept):
            return fill(accept[0], presented.question, presented.values)
        case Number() | Code() | Open():
            return model_answer(presented.question, presented.values)


def wrong_replies(presented: Presented) -> tuple[str, ...]:
    """Replies that are readable and not right."""
    match presented.question:
        case Choice(options=options):
            wrong = [row for row, place in enumerate(presented.shown) if not options[place].right]
            every = ", ".join(label(row) for row in range(len(options)))
            several = sum(option.right for option in options) > 1
            return (*(label(row) for row in wrong), *([every] if several and wrong else []))
        case Order():
            return (", ".join(reversed(right_reply(presented).split(", "))),)
        case Number() as question:
            value = answer_value(question, presented.values)
            return (_typed(2 * value + 1, question), _typed(-value - 1, question))
        case Growth(answer=answer, symbols=symbols):
            return tuple(f"({answer}) * {name}^2" for name in symbols)
        case Cloze() | Code() | Open():
            return (NONSENSE,)


def _wrong_findings(presented: Presented) -> Iterator[str]:
    for reply in wrong_replies(presented):
        marked = mark(presented.question, presented.values, reply, presented.shown)
        if not isinstance(marked, Mark) or marked.right:
            yield f"the wrong reply {reply!r} is not marked wrong for {presented.values}: {marked}"


def _trap_findings(presented: Presented) -> Iterator[str]:
    """Each trap, typed as a learner would type it, must be marked wrong and named."""
    question = presented.question
    if isinstance(question, Choice | Order | Open):
        return
    if isinstance(question, Number):
        values = trap_values(question, presented.values)
        replies = [_typed(value, question) for value in values]
    else:
        replies = [fill(trap.gives, question, presented.values) for trap in question.traps]
    for trap, reply in zip(question.traps, replies, strict=True):
        marked = mark(question, presented.values, reply)
        if not isinstance(marked, Mark) or marked.right or marked.trap is None:
            yield f"the trap {trap.gives!r} is not named for {presented.values}: {marked}"


def _typed(value: Value, question: Number) -> str:
    """A value in base units as a learner types it, in the question's unit."""
    unit = find(question.unit)
    factor = float(unit.factor) if unit is not None else 1.0
    return f"{float(value) / factor!r} {question.unit}"
