"""The numbers of a question: drawing them, and writing them into its texts.

A question with ``given`` is asked with one value drawn for each parameter. In its texts
``{name}`` stands for a drawn value or for a derived one from ``show``; ``{{`` and ``}}`` are
literal braces. Between dollars, where braces group LaTeX, nothing is replaced: ``$d^{2}$``
stays as it is. A snippet of code is never filled.

The order of work for a text that people read is ``maths.plain(fill(text, question, values))``.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

from quizprep.content.questions import Growth, Number, Question, Scalar
from quizprep.errors import ContentError, Problem
from quizprep.formula import Formula, FormulaError, Relation, Value, dominated, parse, relation
from quizprep.maths import split_math
from quizprep.text import number_text
from quizprep.units import named

MAX_DRAWS = 2000
"""A question with more combinations is sampled: at most this many are tried."""


@lru_cache(maxsize=1024)
def parsed(text: str) -> Formula:
    """``formula.parse``, cached: a check evaluates one formula in many draws."""
    return parse(text)


PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}|[{}]")


def draw(question: Question, seed: int) -> dict[str, Scalar]:
    """One admissible value for each parameter of ``given``; the same seed, the same draw.

    Raises ContentError where no draw is admissible (the content check proves there is one).
    """
    total = combination_count(question)
    dice = random.Random(f"{question.id}:{seed}")
    try:
        for place in dice.sample(range(total), min(total, MAX_DRAWS)):
            values = combination(question, place)
            if admissible(question, values):
                return values
        message = "in every draw a trap gives the answer, or what another trap gives"
    except FormulaError as error:
        message = f"a formula {error}"
    raise ContentError([Problem(question.id, None, "given", message)])


def combination_count(question: Question) -> int:
    """In how many ways the parameters of ``given`` can be drawn."""
    return math.prod(len(values) for values in question.given.values())


def combination(question: Question, place: int) -> dict[str, Scalar]:
    """The draw at a place in the list of all; the first place is 0."""
    values: dict[str, Scalar] = {}
    for name, choices in question.given.items():
        place, pick = divmod(place, len(choices))
        values[name] = choices[pick]
    return values


def admissible(question: Question, values: Mapping[str, Scalar]) -> bool:
    """Whether the answer and every trap can be told apart in this draw.

    For a number, no two tolerance bands may touch, and no trap may be the answer rounded: otherwise
    a right reply could be called wrong, or a mistake be named as another. For a growth, no trap may
    be the answer's big-O.
    Raises FormulaError where a formula cannot be computed.
    """
    if isinstance(question, Growth):
        return not any(same_growth(question, trap.gives) for trap in question.traps)
    if not isinstance(question, Number):
        return True
    right, wrong = answer_value(question, values), trap_values(question, values)
    if any(_reads_as_rounded(question, value, right) for value in wrong):
        return False
    return all(apart(question, one, other) for one, other in combinations([right, *wrong], 2))


def tolerance(question: Number) -> Fraction:
    """The allowed relative error as a fraction: ``1%`` is 1/100."""
    return Fraction(question.tolerance.removesuffix("%")) / 100


def answer_value(question: Number, values: Mapping[str, Scalar]) -> Value:
    """The right answer in the base unit; raises FormulaError."""
    return parsed(question.answer).evaluate(symbol_values(question, values))


def trap_values(question: Number, values: Mapping[str, Scalar]) -> tuple[Value, ...]:
    """The value of each trap in the base unit, in the question's order; raises FormulaError."""
    symbols = symbol_values(question, values)
    return tuple(parsed(trap.gives).evaluate(symbols) for trap in question.traps)


def apart(question: Number, one: Value, other: Value) -> bool:
    """Whether the bands of tolerance around two amounts do not touch."""
    left, right = Fraction(one), Fraction(other)
    return abs(left - right) > tolerance(question) * (abs(left) + abs(right))


NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
NUMERAL = re.compile(rf"[+-]?{NUMBER}")
_MAX_PLACE = 100
_ROUGHEST, _ROUGHEST_DIGIT = Fraction(1, 20), Fraction(1, 50)
"""How far rounding may lead away from the answer; a single digit must come closer."""


@dataclass(frozen=True)
class Precision:
    """How precisely a numeral is written.

    digits  its significant digits; zeros at the end of a whole number count for nothing
    step    what one step of the last of them is worth: 10^8 in ``2.1e9``
    """

    digits: int
    step: Fraction

    def times(self, factor: Fraction | int) -> Precision:
        """The same digits in a smaller unit."""
        return Precision(self.digits, self.step * factor)


def precision(numeral: str) -> Precision | None:
    """The precision of a plain numeral; None for any other text, or far beyond what people type."""
    if not NUMERAL.fullmatch(numeral):
        return None
    mantissa, _, power = numeral.lstrip("+-").lower().partition("e")
    whole, point, decimals = mantissa.partition(".")
    written = (whole + decimals).lstrip("0")
    zeros = 0 if point else len(written) - len(written.rstrip("0"))
    exponent = int(power or 0) if len(power) < 5 else _MAX_PLACE
    place = exponent - len(decimals) + zeros
    if abs(place) >= _MAX_PLACE:
        return None
    return Precision(len(written) - zeros, Fraction(10) ** place)


def is_rounding(question: Number, given: Fraction, shown: Precision, right: Fraction) -> bool:
    """Whether a number is the right one, rounded to the digits that it shows.

    Where the exact number is asked (tolerance 0), 500 is no rounding of 501 but a slip.
    """
    if not (given and right and tolerance(question)):
        return False
    off, roughest = abs(given - right), _ROUGHEST if shown.digits > 1 else _ROUGHEST_DIGIT
    return 2 * off <= shown.step and off <= roughest * abs(right)


def _reads_as_rounded(question: Number, value: Value, right: Value) -> bool:
    """Whether a trap, typed in full in the question's unit, would pass for the answer rounded."""
    factor = named(question.unit).factor
    number = Fraction(value) / factor
    whole = number.denominator == 1
    shown = precision(str(number) if whole else repr(float(number)))
    return shown is not None and is_rounding(
        question, Fraction(value), shown.times(factor), Fraction(right)
    )


def same_growth(question: Growth, text: str) -> bool:
    """Whether a big-O expression is the question's answer, up to constants and lower terms."""
    where: tuple[Relation, ...] = tuple(relation(item) for item in question.where)
    answer, other = parsed(question.answer).expand(), parsed(text).expand()
    return dominated(answer, other, where) and dominated(other, answer, where)


def symbol_values(question: Question, values: Mapping[str, Scalar]) -> dict[str, Value]:
    """The symbols of formulas: the drawn numbers, then the ``show`` values in their order.

    A ``show`` formula may use the values before it. Raises FormulaError.
    """
    symbols: dict[str, Value] = {
        name: Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
        for name, value in values.items()
        if not isinstance(value, str)
    }
    for name, text in question.show.items():
        symbols[name] = parsed(text).evaluate(symbols)
    return symbols


def fill(text: str, question: Question, values: Mapping[str, Scalar]) -> str:
    """The text with every ``{name}`` outside ``$...$`` replaced, and doubled braces made single.

    Raises ContentError for a placeholder that is not in ``given`` or ``show``.
    """
    words = {name: value for name, value in values.items() if isinstance(value, str)}
    try:
        shown = {n: number_text(v) for n, v in symbol_values(question, values).items()} | words
    except FormulaError as error:
        raise ContentError([Problem(question.id, None, "show", f"a formula {error}")]) from error

    def replaced(match: re.Match[str]) -> str:
        token, name = match[0], match[1]
        if token in ("{{", "}}"):
            return token[0]
        if name in shown:
            return shown[name]
        raise ContentError([Problem(question.id, None, "", gap_message(name, shown))])

    return "".join(
        piece.text if piece.is_math else PLACEHOLDER.sub(replaced, piece.text)
        for piece in split_math(text)
    )


def gap_message(name: str | None, known: Collection[str]) -> str:
    """What to tell the author of a placeholder that has no value; None is a lone brace."""
    if name is None:
        return "holds a brace that is no placeholder; write {{ or }} for a literal one"
    listed = ", ".join(known) or "neither is used here"
    return f"holds {{{name}}}, which is not in given or show ({listed})"
