"""Marking: a question, the numbers drawn for it and a reply give a mark.

Nothing that a learner types is evaluated as Python, and no reply takes long to read: formulas go
through the whitelist in ``quizprep.formula``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from quizprep.content.questions import (
    Choice,
    Cloze,
    Code,
    Growth,
    Number,
    Open,
    Order,
    Question,
    Scalar,
)
from quizprep.quiz.marking import growth, lettered, number, open_answer, typed
from quizprep.quiz.marking.open_answer import OpenMatch, match_open
from quizprep.quiz.marking.reply import Invalid, Mark

__all__ = ["MAX_REPLY", "Invalid", "Mark", "OpenMatch", "mark", "match_open", "model_answer"]

MAX_REPLY = 4000
"""Characters of a reply that are read; a spoken minute has about a thousand."""


def mark(
    question: Question,
    values: Mapping[str, Scalar],
    reply: str,
    shown: Sequence[int] | None = None,
) -> Mark | Invalid:
    """The mark of a reply.

    values  the numbers that were drawn
    shown   for choice and order: the options or steps in the order shown, by their place in the
            bank; left out, they are shown as listed
    """
    text = reply.strip()
    if not text:
        return Invalid("Type an answer.")
    if len(text) > MAX_REPLY:
        return Invalid(f"That is longer than {MAX_REPLY} characters; say it shorter.")
    match question:
        case Choice():
            return lettered.mark_choice(question, values, text, shown)
        case Number():
            return number.mark(question, values, text)
        case Growth():
            return growth.mark(question, values, text)
        case Order():
            return lettered.mark_order(question, values, text, shown)
        case Cloze():
            return typed.mark_cloze(question, values, text)
        case Code():
            return typed.mark_code(question, values, text)
        case Open():
            return open_answer.mark_open(match_open(question, text))
    assert_never(question)


def understood(question: Question, reply: str) -> str:
    """What a number or a growth is read as, while it is typed; "" for other kinds and for nothing.

    It says nothing about whether the reply is right.
    """
    if not reply.strip():
        return ""
    match question:
        case Number():
            return number.understood(question, reply)
        case Growth():
            return growth.understood(question, reply)
    return ""


def model_answer(
    question: Question, values: Mapping[str, Scalar], shown: Sequence[int] | None = None
) -> str:
    """The right answer as text; placeholders are filled, mathematics is left as ``$...$``."""
    match question:
        case Choice():
            return lettered.choice_answer(question, values, shown)
        case Number():
            return number.answer(question, values)
        case Growth():
            return growth.answer(question)
        case Order():
            return lettered.order_answer(question, values)
        case Cloze():
            return typed.cloze_answer(question, values)
        case Code():
            return question.prints.strip("\n")
        case Open():
            return question.model.strip()
    assert_never(question)
