"""Which of two formulas grows faster, in every symbol and at whatever relative rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from quizprep.formula.expression import Formula, parse
from quizprep.formula.polynomial import Exponents, FormulaError, Polynomial


@dataclass(frozen=True)
class Relation:
    """``small <= large`` up to a constant, for two monomials: ``window <= n``."""

    small: Exponents
    large: Exponents


def two_sides(text: str) -> tuple[Formula, Formula]:
    """The two formulas of ``window + sinks <= n``, the smaller first; raises FormulaError."""
    sides = text.split("<=")
    if len(sides) != 2:
        raise FormulaError(f"is not a relation such as 'window <= n': {text!r}")
    return parse(sides[0]), parse(sides[1])


def relation(text: str) -> Relation:
    """Parse ``window <= n``; each side must be a single monomial."""
    small, large = (side.expand() for side in two_sides(text))
    if len(small.terms) != 1 or len(large.terms) != 1:
        raise FormulaError(f"compares sums; each side must be one product: {text!r}")
    return Relation(small.terms[0][0], large.terms[0][0])


def leading_terms(polynomial: Polynomial, where: Sequence[Relation] = ()) -> Polynomial:
    """The terms that no other term dominates, each with coefficient 1."""
    monomials = [monomial for monomial, _ in polynomial.terms]
    leading = [
        monomial
        for place, monomial in enumerate(monomials)
        if not any(
            _covers(other, monomial, where)
            and not (_covers(monomial, other, where) and place < other_place)
            for other_place, other in enumerate(monomials)
            if other_place != place
        )
    ]
    return Polynomial(tuple((monomial, Fraction(1)) for monomial in leading))


def _covers(large: Exponents, small: Exponents, where: Sequence[Relation]) -> bool:
    return faster_direction(small, [large], where) is None


def dominated(growth: Polynomial, bound: Polynomial, where: Sequence[Relation] = ()) -> bool:
    """Whether growth is O(bound) in every symbol, all at least 1, under the relations.

    Coefficients are ignored. It must hold at whatever relative rates the symbols grow: ``n*d`` is
    not
    O(n + d), but it is O(n**2 + d**2).
    """
    bounds = [monomial for monomial, _ in bound.terms]
    return all(faster_direction(monomial, bounds, where) is None for monomial, _ in growth.terms)


def faster_direction(
    monomial: Exponents, bounds: Sequence[Exponents], where: Sequence[Relation] = ()
) -> dict[str, Fraction] | None:
    """A direction of growth in which the monomial outgrows every bound, or None.

    It maps symbols to rates: with ``{"n": 1}`` only n grows. With each symbol s = t**x_s at a rate
    x_s >= 0, the logarithms of monomials are linear in the rates. So the question is whether a
    system
    of linear inequalities has a solution; it is solved exactly.
    """
    names = sorted(
        {name for m in (monomial, *bounds) for name, _ in m}
        | {name for r in where for m in (r.small, r.large) for name, _ in m}
    )
    rows = [_row(_difference(monomial, bound), names, Fraction(-1)) for bound in bounds]
    if not bounds and not monomial:
        return {}
    if not bounds:
        rows = [_row(dict(monomial), names, Fraction(-1))]
    rows += [_row(_difference(r.large, r.small), names, Fraction(0)) for r in where]
    rows += [_row({name: 1}, names, Fraction(0)) for name in names]
    solution = _feasible(rows, len(names))
    if solution is None:
        return None
    return {name: rate for name, rate in zip(names, solution, strict=True) if rate}


def _difference(left: Exponents, right: Exponents) -> dict[str, int]:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) - power
    return powers


_Row = tuple[tuple[Fraction, ...], Fraction]
"""Coefficients a and constant c of the inequality a.x + c >= 0."""


def _row(powers: Mapping[str, int], names: Sequence[str], constant: Fraction) -> _Row:
    return tuple(Fraction(powers.get(name, 0)) for name in names), constant


def _feasible(rows: Iterable[_Row], size: int) -> list[Fraction] | None:
    """A point x >= 0 that satisfies every row, or None: the first phase of the simplex method.

    Bland's rule chooses the pivots, so that it terminates. Fourier-Motzkin elimination would be
    shorter, but squares the number of rows for each symbol: six symbols and eight terms took half a
    minute, and learners' replies are checked here.
    """
    tight = [row for row in _tidy(rows) if row[1] < 0 or any(a < 0 for a in row[0])]
    count = len(tight)
    # Columns: symbols, a slack variable for each row, an artificial variable for each row, the
    # right-hand side.
    table: list[list[Fraction]] = []
    basis: list[int] = []
    for place, (coefficients, constant) in enumerate(tight):
        short = constant < 0
        sign = 1 if short else -1
        line = [sign * a for a in coefficients] + [Fraction(0)] * (2 * count)
        line[size + place] = Fraction(-sign)
        line[size + count + place] = Fraction(int(short))
        table.append([*line, abs(constant)])
        basis.append(size + place + (count if short else 0))
    first_artificial = size + count
    while True:
        lacking = [
            row for row, column in zip(table, basis, strict=True) if column >= first_artificial
        ]
        entering = next(
            (
                c
                for c in range(first_artificial)
                if sum((row[c] for row in lacking), Fraction(0)) > 0
            ),
            None,
        )
        if entering is None:
            break
        leaving = min(
            (place for place in range(count) if table[place][entering] > 0),
            key=lambda place: (table[place][-1] / table[place][entering], basis[place]),
        )
        _pivot(table, leaving, entering)
        basis[leaving] = entering
    if any(row[-1] for row in lacking):
        return None
    values = {column: row[-1] for row, column in zip(table, basis, strict=True)}
    return [values.get(place, Fraction(0)) for place in range(size)]


def _pivot(table: list[list[Fraction]], leaving: int, entering: int) -> None:
    """Make the entering column the unit vector of the leaving row."""
    scale = table[leaving][entering]
    chosen = table[leaving] = [value / scale for value in table[leaving]]
    for place, row in enumerate(table):
        factor = row[entering]
        if place != leaving and factor:
            table[place] = [x - factor * y if y else x for x, y in zip(row, chosen, strict=True)]


def _tidy(rows: Iterable[_Row]) -> list[_Row]:
    """Rows without duplicates: each is normalised, and of parallel rows only the tightest is
    kept."""
    tightest: dict[tuple[Fraction, ...], Fraction] = {}
    for coefficients, constant in rows:
        scale = max((abs(c) for c in coefficients), default=Fraction(0))
        if scale == 0:
            if constant < 0:
                return [(coefficients, constant)]
            continue
        form = tuple(c / scale for c in coefficients)
        tightest[form] = min(tightest.get(form, constant / scale), constant / scale)
    return list(tightest.items())
