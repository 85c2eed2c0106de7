"""Cloze and code: replies are compared as text, after spelling is made uniform."""

from __future__ import annotations

import re
from collections.abc import Mapping

from quizprep.content.draws import fill
from quizprep.content.questions import Cloze, Code, Scalar
from quizprep.maths import plain
from quizprep.quiz.marking.quantity import exact_number
from quizprep.quiz.marking.reply import Invalid, Mark
from quizprep.quiz.marking.words import stem
from quizprep.text import plain_signs

_ARTICLES = {"a", "an", "the"}
_INNER = re.compile(r"(?<=\w)\s+(?=[\w-])")


def mark_cloze(question: Cloze, values: Mapping[str, Scalar], reply: str) -> Mark | Invalid:
    """1 for any accepted filling; case, hyphens, articles and endings do not matter."""
    said = same_text(reply)
    if not said:
        return Invalid("Type what fills the gap ___.")
    if any(_alike(said, filled(text, question, values)) for text in question.accept):
        return Mark(1.0)
    for trap in question.traps:
        if _alike(said, filled(trap.gives, question, values)):
            return Mark(0.0, (), fill(trap.says, question, values).strip())
    return Mark(0.0, ("That does not fill the gap.",))


def cloze_answer(question: Cloze, values: Mapping[str, Scalar]) -> str:
    """The first accepted filling."""
    return fill(question.accept[0], question, values).strip()


def filled(text: str, question: Cloze, values: Mapping[str, Scalar]) -> str:
    """A filling of the bank, spelled the way in which replies are compared."""
    return same_text(plain(fill(text, question, values)))


def _alike(said: str, wanted: str) -> bool:
    if said == wanted:
        return True
    left, right = exact_number(said), exact_number(wanted)
    return left is not None and left == right


def same_text(text: str) -> str:
    """A text in uniform spelling: ``√d`` and ``sqrt(d)`` come out the same."""
    text = plain_signs(text, "^").casefold()
    text = re.sub(r"√\s*\(", "sqrt(", text)
    text = re.sub(r"√\s*(\w+)", r"sqrt(\1)", text)
    text = re.sub(r"\bsquare root of (\w+)", r"sqrt(\1)", text)
    text = re.sub(r"\bsqrt (\w+)", r"sqrt(\1)", text)
    text = re.sub(r"(?<=[a-z])[-_/](?=[a-z])", " ", text)
    text = re.sub(r"[\"'`“”‘’!?;]|[.,](?!\d)", " ", text)
    text = re.sub(r"\s*([*/^+=()<>-])\s*", r"\1", text)
    return " ".join(stem(word) for word in text.split() if word not in _ARTICLES)


def mark_code(question: Code, values: Mapping[str, Scalar], reply: str) -> Mark | Invalid:
    """1 for exactly what is printed, else 0; several lines may be typed as one."""
    printed = same_output(reply)
    if not printed:
        return Invalid("Type what the snippet prints.")
    if printed == same_output(question.prints):
        return Mark(1.0)
    for trap in question.traps:
        if printed == same_output(trap.gives):
            return Mark(0.0, (), fill(trap.says, question, values).strip())
    return Mark(0.0, ("That is not what it prints.",))


def same_output(text: str) -> str:
    """An output in uniform spelling: ``[1, 2]`` and ``[1,2]`` come out the same."""
    unquoted = re.sub(r"[\"'`]", "", text.replace("\\n", "\n")).strip().casefold()
    return re.sub(r"[^\S\x1f]+", "", _INNER.sub("\x1f", unquoted))
