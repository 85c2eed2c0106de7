"""Reads a number with its unit from a reply: ``2 GiB``, ``2*32*8*128*2``, ``1/8``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from quizprep.content.draws import NUMBER, NUMERAL, Precision, precision
from quizprep.formula import MAX_TEXT, FormulaError, parse
from quizprep.text import plain_signs
from quizprep.units import Unit, find

_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{NUMBER})|(?P<sign>\*\*|[-+*/()])|(?P<pi>(?:pi|π)\b)"
    r"|(?P<call>(?:sqrt|log2|log|ln|exp|floor|ceil|min|max)(?=\s*\()))",
    re.IGNORECASE,
)
_EXTREME = re.compile(r"\b(?:min|max)\s*\(", re.IGNORECASE)
_COMMA = re.compile(r"\s*,")
_ENDS_FACTOR = re.compile(r"[\d.].*|\)|pi")
"""What a factor may follow without a sign: ``2 pi``, ``2(3+4)``."""
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[ ,_'’]\d{3})+(?![\d,'’_])")
_LEAD = re.compile(
    r"^(?:[~≈=]|about|around|roughly|approximately|approx\.?|ca\.?)\s*", re.IGNORECASE
)
_SCALES = {
    "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "bn": 10**9,
}  # fmt: skip
_SHORT_SCALES = {"k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
_BINARY_SCALES = {"k": 1, "m": 2, "g": 3}


@dataclass(frozen=True)
class Quantity:
    """A number and the unit written after it.

    number  exact, as written, with scale words such as ``million`` multiplied in
    unit    None for a bare number
    shown   how precisely a plain numeral is written; None for an expression
    binary  the number with ``k``, ``M`` or ``G`` taken for a power of 1024, where one is written
    """

    number: Fraction
    unit: Unit | None
    shown: Precision | None
    binary: Fraction | None = None


class UnreadableError(ValueError):
    """The text is not a quantity; the message says why."""


def exact_number(text: str) -> Fraction | None:
    """The value of a plain number such as ``65,504`` or ``6.5e4``; None for anything else."""
    plain = _ungrouped(text.strip())
    if len(plain) > MAX_TEXT or not NUMERAL.fullmatch(plain):
        return None
    try:
        return Fraction(parse(_decimal(plain)).evaluate({}))
    except FormulaError:
        return None


def read_quantity(text: str, scales: bool) -> Quantity:
    """The quantity that a reply states; raises UnreadableError.

    scales  whether a lone ``k``, ``M`` or ``G`` after the number multiplies it; it does where the
            unit itself takes no prefix
    """
    if len(text) > MAX_TEXT:
        raise UnreadableError(f"is longer than {MAX_TEXT} characters")
    tidy = _ungrouped(_tidied(text))
    expression, rest = _split(tidy)
    if not expression:
        raise UnreadableError("does not begin with a number")
    if re.match(r"\s*,\s*\d", rest):
        raise UnreadableError("has a comma inside a number; write a decimal point, as in 2.5")
    scale, power, name = _scaled(rest.strip().lstrip("-").rstrip(".!"), scales)
    unit = find(name) if name else None
    if name and unit is None:
        raise UnreadableError(f"has something after the number that is no unit: {name[:30]!r}")
    try:
        value = Fraction(parse(expression).evaluate({"pi": math.pi}))
    except FormulaError as error:
        raise UnreadableError(str(error)) from error
    shown = precision(expression)
    return Quantity(
        value * scale,
        unit,
        shown and shown.times(scale),
        value * 1024**power if power else None,
    )


def _tidied(text: str) -> str:
    apart = re.sub(r"(\d)([¼½¾⅓⅔⅛])", r"(\1+\2)", text)
    plain = plain_signs(apart, "**").strip()
    plain = re.sub(r"(?<=[\d)])\s*x\s*(?=[\d(.])", "*", plain, flags=re.IGNORECASE)
    return _LEAD.sub("", plain)


def _ungrouped(text: str) -> str:
    """Without thousands separators: ``2,048`` becomes 2048; ``2,5`` and ``min(64,128)`` stay."""
    if _EXTREME.search(text):
        return text
    return _GROUPED.sub(lambda m: re.sub(r"[ ,_'’]", "", m[0]), text)


def _split(text: str) -> tuple[str, str]:
    """The longest prefix that is arithmetic, and the rest."""
    tokens: list[tuple[str, int]] = []
    place = 0
    while found := _TOKEN.match(text, place) or _next_value(tokens, text, place):
        place = found.end()
        if found.re is _COMMA:
            tokens.append((",", place))
            continue
        piece = found[0].strip().lower().replace("π", "pi")
        piece = "ln" if piece == "log" else piece
        begins_factor = found["pi"] or found["call"] or piece == "("
        if begins_factor and tokens and _ENDS_FACTOR.fullmatch(tokens[-1][0]):
            tokens.append(("*", place))
        tokens.append((_decimal(piece) if found["number"] else piece, place))
    # A trailing operator belongs to the unit: "5 /s".
    while tokens and tokens[-1][0] in ("+", "-", "*", "**", "/", ","):
        tokens.pop()
    end = tokens[-1][1] if tokens else 0
    return " ".join(piece for piece, _ in tokens), text[end:]


def _next_value(tokens: list[tuple[str, int]], text: str, place: int) -> re.Match[str] | None:
    """A comma between the values of ``min(...)`` or ``max(...)``, where one of them is open."""
    pieces = [piece for piece, _ in tokens]
    is_open = pieces.count("(") > pieces.count(")") and {"min", "max"} & set(pieces)
    return _COMMA.match(text, place) if is_open else None


def _decimal(number: str) -> str:
    """Without leading zeros, which a formula may not have."""
    return re.sub(r"^([+-]?)0+(?=\d)", r"\1", number)


def _scaled(rest: str, scales: bool) -> tuple[int, int, str]:
    """The scale after a number, the power of 1024 that it may stand for, and what follows."""
    word, _, unit = rest.partition(" ")
    if word.lower() in _SCALES:
        return _SCALES[word.lower()], 0, unit.strip()
    if scales and word.lower() in _SHORT_SCALES:
        scale = _SHORT_SCALES[word.lower()]
        return scale, _BINARY_SCALES.get(word.lower(), 0), unit.strip()
    return 1, 0, rest
