"""Small rules of writing that every face shares."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable
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
    """The text with ? for every control or formatting character (U+009B and U+202E are two), so
    that what somebody else wrote cannot steer a terminal or spoil a file.

    keep  characters that stay all the same, such as a line break
    """
    return _without_controls(text, keep, lambda _: "?")


def json_text(value: object) -> str:
    """A value as indented JSON, readable in any script; control and formatting characters are
    escaped."""
    import json  # most starts write none

    text = json.dumps(value, indent=1, ensure_ascii=False)
    return _without_controls(text, "\n", lambda character: json.dumps(character)[1:-1])


def _without_controls(text: str, keep: str, instead: Callable[[str], str]) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else instead(c) for c in text)


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """`` Did you mean a or b?`` for the names nearest to what was typed; empty if none is near."""
    from difflib import get_close_matches  # only a mistake needs it

    names = {name.lower().replace("-", "_"): name for name in known}
    near = get_close_matches(typed.lower().replace("-", "_"), names)
    return f" Did you mean {' or '.join(names[name] for name in near)}?" if near else ""


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
