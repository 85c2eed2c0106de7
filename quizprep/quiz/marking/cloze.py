"""Cloze: the word or expression that fills the gap."""

from __future__ import annotations

import re
from collections.abc import Mapping

from quizprep.content.draws import fill
from quizprep.content.questions import Cloze, Scalar
from quizprep.maths import plain
from quizprep.quiz.marking.mark import Invalid, Mark
from quizprep.quiz.marking.quantity import exact_number
from quizprep.quiz.marking.signs import plain_signs

_ARTICLES = {"a", "an", "the"}


def mark(question: Cloze, values: Mapping[str, Scalar], reply: str) -> Mark | Invalid:
    """1 for any accepted filling, whatever its case, hyphens, articles or plural."""
    said = same_text(reply)
    if not said:
        return Invalid("Type what fills the gap ___.")
    if any(_alike(said, filled(text, question, values)) for text in question.accept):
        return Mark(1.0)
    for trap in question.traps:
        if _alike(said, filled(trap.gives, question, values)):
            return Mark(0.0, (), fill(trap.says, question, values).strip())
    return Mark(0.0, ("That does not fill the gap.",))


def answer(question: Cloze, values: Mapping[str, Scalar]) -> str:
    """The first accepted filling."""
    return fill(question.accept[0], question, values).strip()


def filled(text: str, question: Cloze, values: Mapping[str, Scalar]) -> str:
    """A filling of the bank in the spelling that replies are compared in."""
    return same_text(plain(fill(text, question, values)))


def _alike(said: str, wanted: str) -> bool:
    if said == wanted:
        return True
    left, right = exact_number(said), exact_number(wanted)
    return left is not None and left == right


def same_text(text: str) -> str:
    """One spelling for texts that people would call the same: ``√d`` and ``sqrt(d)``."""
    text = plain_signs(text, "^").casefold()
    text = re.sub(r"√\s*\(", "sqrt(", text)
    text = re.sub(r"√\s*(\w+)", r"sqrt(\1)", text)
    text = re.sub(r"\bsquare root of (\w+)", r"sqrt(\1)", text)
    text = re.sub(r"\bsqrt (\w+)", r"sqrt(\1)", text)
    text = re.sub(r"(?<=[a-z])[-_/](?=[a-z])", " ", text)
    text = re.sub(r"[\"'`“”‘’!?;]|[.,](?!\d)", " ", text)
    text = re.sub(r"\s*([*/^+=()<>-])\s*", r"\1", text)
    return " ".join(_stem(word) for word in text.split() if word not in _ARTICLES)


def _stem(word: str) -> str:
    """Without the plural: ``weights`` and ``weight``, ``queries`` and ``query``."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.isalpha() and word.endswith("s") and word[-2] not in "su":
        return word[:-1]
    return word
