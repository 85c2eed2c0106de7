"""Polynomials with exact coefficients: formulas without roots and quotients of sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import product

MAX_EXPONENT = 64
MAX_BITS = 4096
MAX_TERMS = 400

Exponents = tuple[tuple[str, int], ...]
"""A monomial: its symbols in alphabetical order with their non-zero powers."""


class FormulaError(ValueError):
    """The text is not a formula, or the formula cannot be computed; the message says why."""


def bounded(value: Fraction) -> Fraction:
    if max(abs(value.numerator), value.denominator).bit_length() > MAX_BITS:
        raise FormulaError("gives a number that is too large")
    return value


@dataclass(frozen=True)
class Polynomial:
    """A sum of monomials with exact coefficients; no coefficient is zero."""

    terms: tuple[tuple[Exponents, Fraction], ...]

    @staticmethod
    def of(terms: Mapping[Exponents, Fraction]) -> Polynomial:
        """The polynomial of a mapping from monomials to coefficients."""
        return Polynomial(tuple(sorted((m, c) for m, c in terms.items() if c)))

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(name for monomial, _ in self.terms for name, _ in monomial)

    def evaluate(self, values: Mapping[str, int | Fraction]) -> Fraction:
        """The exact value at the given sizes."""
        total = Fraction(0)
        for monomial, coefficient in self.terms:
            part = coefficient
            for name, power in monomial:
                part *= Fraction(values[name]) ** power
            total += part
        return total

    def text(self, order: Sequence[str] = ()) -> str:
        """The text as people write it: ``4*b*h*n*m*d``, symbols in the given order, powers as
        ``n^2``."""
        if not self.terms:
            return "0"
        rank = {name: place for place, name in enumerate(order)}
        ranked = sorted(
            self.terms,
            key=lambda term: (-sum(power for _, power in term[0]), -term[1], term[0]),
        )
        pieces = [_term_text(monomial, coefficient, rank) for monomial, coefficient in ranked]
        return " + ".join(pieces).replace("+ -", "- ")


def _term_text(monomial: Exponents, coefficient: Fraction, rank: Mapping[str, int]) -> str:
    ordered = sorted(monomial, key=lambda item: (rank.get(item[0], len(rank)), item[0]))
    above = [_power_text(name, power) for name, power in ordered if power > 0]
    below = [_power_text(name, -power) for name, power in ordered if power < 0]
    sign = "-" if coefficient < 0 else ""
    top, bottom = abs(coefficient.numerator), coefficient.denominator
    if top != 1 or not above:
        above.insert(0, str(top))
    if bottom != 1:
        below.insert(0, str(bottom))
    text = sign + "*".join(above)
    return text if not below else text + "".join(f"/{part}" for part in below)


def _power_text(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def add(left: Polynomial, right: Polynomial) -> Polynomial:
    terms = dict(left.terms)
    for monomial, coefficient in right.terms:
        terms[monomial] = bounded(terms.get(monomial, Fraction(0)) + coefficient)
    return Polynomial.of(terms)


def summed(parts: Iterable[Polynomial]) -> Polynomial:
    return reduce(add, parts, Polynomial(()))


def scale(poly: Polynomial, factor: Fraction) -> Polynomial:
    return Polynomial.of({monomial: bounded(c * factor) for monomial, c in poly.terms})


def multiply(left: Polynomial, right: Polynomial) -> Polynomial:
    if len(left.terms) * len(right.terms) > MAX_TERMS:
        raise FormulaError("has too many terms")
    terms: dict[Exponents, Fraction] = {}
    for (a, x), (b, y) in product(left.terms, right.terms):
        monomial = _join(a, b)
        terms[monomial] = bounded(terms.get(monomial, Fraction(0)) + x * y)
    return Polynomial.of(terms)


def _join(left: Exponents, right: Exponents) -> Exponents:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) + power
        if abs(powers[name]) > MAX_EXPONENT:
            raise FormulaError("has a power that is too large")
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def invert(poly: Polynomial) -> Polynomial:
    if not poly.terms:
        raise FormulaError("divides by zero")
    if len(poly.terms) != 1:
        raise FormulaError("divides by a sum, which is not a polynomial")
    ((monomial, coefficient),) = poly.terms
    return Polynomial.of({tuple((name, -power) for name, power in monomial): 1 / coefficient})


def raised(base: Polynomial, exponent: Polynomial) -> Polynomial:
    match exponent.terms:
        case ():
            power = 0
        case (((), value),) if value.denominator == 1 and abs(value) <= MAX_EXPONENT:
            power = int(value)
        case _:
            raise FormulaError("has a power that is not a small whole number")
    if power < 0:
        base, power = invert(base), -power
    result = Polynomial.of({(): Fraction(1)})
    for _ in range(power):
        result = multiply(result, base)
    return result
