"""Number: compared exactly within the tolerance; traps and slips of units are named.

A number without a unit is read in the unit that was asked. An expression may lead to the base unit
instead, since the numbers of the question do (flops where Gflop are asked), and a share may stand
for a percentage: these are right. A plain number in another unit of the dimension is half right.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from quizprep.content.draws import (
    answer_value,
    fill,
    is_rounding,
    tolerance,
    trap_values,
)
from quizprep.content.questions import Number, Scalar
from quizprep.quiz.marking.quantity import Quantity, UnreadableError, read_quantity
from quizprep.quiz.marking.reply import Invalid, Mark
from quizprep.text import counted, number_text
from quizprep.units import Unit, named, prefix_says, siblings

RIGHT_BUT_FOR_THE_UNIT = 0.5
RIGHT_BUT_ROUGH = 0.75
_FINEST = Fraction(1, 10**9)
"""The smallest tolerance: some answers are roots, which are not exact."""

_FACTORS = (
    (Fraction(2), "a factor of 2: something is counted twice, or one of two parts is left out"),
    (Fraction(8), "a factor of 8, as between bits and bytes"),
    (Fraction(1000), "a factor of 1000, one step of the prefix"),
    (Fraction(1024), "a factor of 1024, one step of the prefix"),
    (Fraction(10**6), "a factor of 10^6, two steps of the prefix"),
    (Fraction(2**20), "a factor of 2^20, two steps of the prefix"),
    (Fraction(10**9), "a factor of 10^9, three steps of the prefix"),
    (Fraction(2**30), "a factor of 2^30, three steps of the prefix"),
)


def mark(question: Number, values: Mapping[str, Scalar], reply: str) -> Mark | Invalid:
    """The mark of a number; without a unit it is read in the question's unit."""
    asked = _asked(question)
    try:
        said = read_quantity(reply, scales=not asked.takes_prefixes)
    except UnreadableError as error:
        return Invalid(f"That {error}. {_expected(asked)}")
    unit = asked if said.unit is None else _matching(said.unit, asked, question.ask)
    if unit is None:
        return Invalid(f"{said.unit and said.unit.name} does not fit here. {_expected(asked)}")
    return _marked(question, values, said, unit, asked)


def understood(question: Number, reply: str) -> str:
    """The number that a reply is read as, with its unit; or why it is not read."""
    asked = _asked(question)
    try:
        said = read_quantity(reply, scales=not asked.takes_prefixes)
    except UnreadableError as error:
        return f"not read yet: that {error}"
    unit = asked if said.unit is None else _matching(said.unit, asked, question.ask)
    if unit is None:
        return f"{said.unit and said.unit.name} does not fit here"
    return f"understood as {quantity_text(said.number, unit)}"


def _marked(
    question: Number, values: Mapping[str, Scalar], said: Quantity, unit: Unit, asked: Unit
) -> Mark:
    allowed = max(tolerance(question), _FINEST)
    right = Fraction(answer_value(question, values))
    amounts = _amounts(said, unit)
    if any(_near(given, right, allowed) for given in amounts):
        return Mark(1.0)
    if said.shown and is_rounding(question, amounts[0], said.shown.times(unit.factor), right):
        return Mark(
            RIGHT_BUT_ROUGH,
            (f"Rounded too roughly: right to {counted(said.shown.digits, 'digit')}, asked "
             f"within {question.tolerance}.",),
        )  # fmt: skip
    for given in amounts:
        for trap, value in zip(question.traps, trap_values(question, values), strict=True):
            if _near(given, Fraction(value), allowed):
                return Mark(0.0, (), fill(trap.says, question, values).strip())
    if slip := _unit_slip(said, unit, asked, right, allowed):
        return Mark(RIGHT_BUT_FOR_THE_UNIT, (slip,))
    return Mark(0.0, (_distance(amounts[0], right, allowed),))


def _amounts(said: Quantity, unit: Unit) -> tuple[Fraction, ...]:
    """What a reply may mean, in the base unit; the likeliest first."""
    amounts = [said.number * unit.factor]
    if said.binary is not None:
        amounts.append(said.binary * unit.factor)
    is_share = unit.dimension == "" and unit.factor < 1
    if said.unit is None and unit.factor != 1 and (said.shown is None or is_share):
        amounts.append(said.number)
    return tuple(amounts)


def answer(question: Number, values: Mapping[str, Scalar]) -> str:
    """The right number in the question's unit: ``512 KiB``."""
    asked = _asked(question)
    return quantity_text(Fraction(answer_value(question, values)) / asked.factor, asked)


def quantity_text(number: Fraction, unit: Unit) -> str:
    """A number with its unit, as people write it."""
    gap = "" if unit.name in ("", "%", "x", "×") else " "
    return f"{number_text(number)}{gap}{unit.name}"


def _asked(question: Number) -> Unit:
    # A unit without a rule gets a dimension of its own; the content check limits what is allowed.
    return named(question.unit)


def _expected(asked: Unit) -> str:
    if asked.takes_prefixes and asked.prefix:
        return (
            f"Type a number such as 12.5 {asked.name} or an expression such as 2*32*128; "
            f"a number without a unit is read in {asked.name}."
        )
    shown = f" (in {asked.name})" if asked.name else ""
    return f"Type a number{shown} such as 1536, 1.5e3 or 3*512."


def _matching(said: Unit, asked: Unit, ask: str) -> Unit | None:
    """The unit that was meant; None if it measures something else."""
    if said.dimension == asked.dimension:
        return said
    if asked.dimension == "work/time" and said.dimension == "work" and said.name[-1:] in "sS":
        return said  # TFLOPS is read as TFLOP/s where a rate is asked
    above, _, below = said.dimension.partition("/")
    if above == asked.dimension and below and below in ask.casefold():
        return Unit(said.name, above, said.factor, said.prefix, said.bits)
    if not said.takes_prefixes and asked.dimension == "" and said.dimension in ask.casefold():
        return Unit(said.name, "", said.factor)
    return None


def _near(given: Fraction, right: Fraction, allowed: Fraction) -> bool:
    return abs(given - right) <= allowed * abs(right)


def _unit_slip(
    said: Quantity, unit: Unit, asked: Unit, right: Fraction, allowed: Fraction
) -> str | None:
    """Names the unit in which the number would be right, if people confuse it with the one read.

    Without a unit that is any prefix; otherwise powers of 2 for powers of 10, and bits for bytes.
    """
    meant = [
        other
        for other in siblings(unit)
        if (said.unit is None or (unit.takes_prefixes and other.step == unit.step))
        and _near(said.number * other.factor, right, min(allowed, Fraction(1, 100)))
    ]
    if len(meant) != 1:
        return None
    other = meant[0]
    if said.unit is None:
        return (
            f"That is right in {other.name}, but without a unit a number is read in "
            f"{asked.name}, as asked."
        )
    explained = [prefix_says(each) for each in (unit, other) if each.prefix or each.bits]
    return f"Right number, wrong unit: you wrote {unit.name}. {', and '.join(explained)}."


def _distance(given: Fraction, right: Fraction, allowed: Fraction) -> str:
    if not right or not given or (given < 0) != (right < 0):
        return "That is not the number."
    ratio = given / right
    way = "large" if ratio > 1 else "small"
    times = max(ratio, 1 / ratio)
    named = [says for factor, says in _FACTORS if abs(times - factor) <= allowed * factor]
    if len(named) == 1:
        return f"Too {way} by {named[0]}."
    if times < Fraction(105, 100):
        return f"Close, but a little too {way}."
    return f"Too {way} by a factor of about {_rough(times)}."


def _rough(times: Fraction) -> str:
    if times >= 10**6:
        return f"10^{len(str(int(times))) - 1}"
    return number_text(Fraction(f"{float(times):.3g}"))
