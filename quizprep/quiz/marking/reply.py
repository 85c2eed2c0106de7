"""A reply in plain signs, and what marking it gives: a mark, or word that it cannot be read."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ", "0123456789-n")
_POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ]+")
_OPERATORS = str.maketrans(
    {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "⁄": "/", "’": "'"}
)


def plain_signs(text: str, power: str) -> str:
    """Signs that people type or paste in several forms, each in one: ``n²·d`` is ``n**2*d``.

    power  the sign to write powers with
    """
    # Before the plain form, in which n² would become n2.
    lowered = _POWER.sub(lambda match: f"{power}{match[0].translate(_RAISED)}", text)
    plain = unicodedata.normalize("NFKC", lowered).translate(_OPERATORS)
    return plain.replace("**", power).replace("^", power)


@dataclass(frozen=True)
class Mark:
    """How good a reply was.

    score  from 0 (wrong) to 1 (right); between them is partial credit
    says   the reasons, as sentences for the learner
    trap   the explanation of the named wrong answer that the reply fell into, if any
    """

    score: float
    says: tuple[str, ...] = ()
    trap: str | None = None

    @property
    def right(self) -> bool:
        return self.score >= 1


@dataclass(frozen=True)
class Invalid:
    """The reply could not be read; it costs nothing. ``expected`` says what to type."""

    expected: str
