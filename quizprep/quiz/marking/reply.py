"""A reply in plain signs, and the result of marking it: a mark, or that it cannot be read."""

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
    """A text with each sign in its plain form: ``n²·d`` becomes ``n**2*d``.

    power  the sign to write powers with
    """
    # First, because NFKC turns n² into n2.
    lowered = _POWER.sub(lambda match: f"{power}{match[0].translate(_RAISED)}", text)
    plain = unicodedata.normalize("NFKC", lowered).translate(_OPERATORS)
    return plain.replace("**", power).replace("^", power)


@dataclass(frozen=True)
class Mark:
    """How good a reply was.

    score  from 0 (wrong) to 1 (right); in between is partial credit
    says   the reasons, as sentences for the learner
    trap   the explanation of the trap that the reply fell into, if any
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
