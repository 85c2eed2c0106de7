"""Small rules of writing that every face shares."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction


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


def counted(number: int, noun: str) -> str:
    """``1 day``, ``2 days``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str, keep: str = "") -> str:
    """Without control characters, so that what somebody else wrote cannot steer a terminal or
    spoil a file; those in ``keep``, such as a line break, stay."""
    return "".join(c if c.isprintable() or c in keep else "?" for c in text)


def mebibytes(size: int) -> str:
    """A number of bytes for a person."""
    return f"{size / (1 << 20):.1f} MiB"


def number_text(value: Fraction | float) -> str:
    """A number as people write it: ``4096``, ``524,288``, ``0.125``, ``33.33``.

    Numbers from 10,000 on have thousands separators. Whole numbers are exact; others are
    rounded to four significant digits (between a thousand and a million to a tenth) and have
    no trailing zeros.
    """
    from fractions import Fraction  # slow to import; most starts write no number

    exact = Fraction(value)
    size = abs(exact)
    if exact.denominator != 1:
        if size < Fraction(1, 10_000):
            return f"{float(exact):.3g}"
        digits = 3 - math.floor(math.log10(size))
        exact = round(exact, max(digits, 1) if size < 10**6 else digits)
    grouping = "," if abs(exact) >= 10_000 else ""
    if exact.denominator == 1:
        return f"{int(exact):{grouping}}"
    return f"{float(exact):{grouping}.7f}".rstrip("0")
