"""A learner's cost beside the solution's, and in a sentence what the difference means."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from quizprep.content.exercises import Contract
from quizprep.formula import Polynomial, dominated, faster_direction, parse, relation
from quizprep.grading.verdict import ReadingVerdict


def beside_solution(
    readings: tuple[ReadingVerdict, ...], measured: Mapping[str, str], contract: Contract
) -> tuple[ReadingVerdict, ...]:
    """The readings with the solution's formulas, where an exercise has them on record."""
    return tuple(_beside(reading, measured, contract) for reading in readings)


def _beside(
    reading: ReadingVerdict, measured: Mapping[str, str], contract: Contract
) -> ReadingVerdict:
    own = measured.get(reading.meter, "")
    if not own or not reading.formula:
        return reading
    return msgspec.structs.replace(
        reading, solution_formula=own, difference=difference(reading.formula, own, contract)
    )


def difference(formula: str, own: str, contract: Contract) -> str:
    """What sets a formula apart from the solution's; "" where they are the same."""
    found, solution = (parse(text).expand() for text in (formula, own))
    if found == solution:
        return ""
    where = [relation(text) for text in contract.where]
    order = list(contract.sizes)
    bounds = [monomial for monomial, _ in solution.terms]
    for monomial, _ in found.terms:
        if bounds and faster_direction(monomial, bounds, where) is not None:
            term = Polynomial(((monomial, Fraction(1)),)).text(order)
            return f"yours grows with {term}; the solution's is {own}"
    if not dominated(solution, found, where):
        return f"yours grows more slowly than the solution's {own}"
    return f"the growth of the solution's {own}, with other constants or smaller terms"
