"""Signs that people type or paste in several forms, brought to one."""

from __future__ import annotations

import re
import unicodedata

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ", "0123456789-n")
_POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ]+")
_OPERATORS = str.maketrans(
    {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "⁄": "/", "’": "'"}
)


def plain_signs(text: str, power: str) -> str:
    """``n²·d`` as ``n**2*d``, with the given sign for powers; letters in their plain form."""
    # Before the plain form, in which n² would become n2.
    lowered = _POWER.sub(lambda match: f"{power}{match[0].translate(_RAISED)}", text)
    plain = unicodedata.normalize("NFKC", lowered).translate(_OPERATORS)
    return plain.replace("**", power).replace("^", power)
