"""Formulas: expansion, growth and text agree with plain evaluation."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quizprep.formula import (
    Exponents,
    FormulaError,
    Polynomial,
    Relation,
    dominated,
    faster_direction,
    leading_terms,
    parse,
    relation,
)

NAMES = ("a", "b", "c")


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    sums = st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
    powers = st.tuples(inner, st.integers(0, 3)).map(lambda t: f"{t[0]}**{t[1]}")
    quotients = st.tuples(inner, st.sampled_from(NAMES)).map(lambda t: f"{t[0]}/(2*{t[1]})")
    return sums | powers | quotients | inner.map(lambda text: f"(-{text})")


formulas = st.recursive(
    st.sampled_from(NAMES) | st.integers(0, 9).map(str), _combined, max_leaves=6
)
sizes = st.fixed_dictionaries({name: st.integers(1, 50) for name in NAMES})
monomials = st.fixed_dictionaries({name: st.integers(0, 3) for name in NAMES}).map(
    lambda powers: tuple(sorted((name, power) for name, power in powers.items() if power))
)
polynomials = st.dictionaries(
    st.fixed_dictionaries({name: st.integers(-2, 3) for name in NAMES}).map(
        lambda powers: tuple(sorted((name, power) for name, power in powers.items() if power))
    ),
    st.fractions(-9, 9, max_denominator=6),
    max_size=5,
).map(Polynomial.of)


def _expanded(text: str) -> Polynomial | None:
    try:
        return parse(text).expand()
    except FormulaError:  # too many terms for the limit, which is not what is tested here
        return None


@given(formulas, sizes)
def test_expansion_evaluates_to_the_same(text: str, values: dict[str, int]) -> None:
    """The polynomial of a formula has the formula's value at every size."""
    polynomial = _expanded(text)
    assume(polynomial is not None)
    assert polynomial is not None
    assert polynomial.evaluate(values) == parse(text).evaluate(values)


@given(polynomials)
def test_text_reads_back(polynomial: Polynomial) -> None:
    """What ``text`` writes is a formula that expands to the same polynomial."""
    assert parse(polynomial.text()).expand() == polynomial


def _rate(monomial: Exponents, direction: dict[str, Fraction]) -> Fraction:
    return sum((power * direction.get(name, Fraction(0)) for name, power in monomial), Fraction(0))


def _grid_direction(
    monomial: Exponents, bounds: list[Exponents], where: list[Relation]
) -> dict[str, Fraction] | None:
    """Brute force over whole rates 0 to 6; None where no such direction outgrows the bounds."""
    for code in range(7 ** len(NAMES)):
        digits = (code // 7**place % 7 for place in range(len(NAMES)))
        direction = {name: Fraction(x) for name, x in zip(NAMES, digits, strict=True)}
        if any(_rate(r.small, direction) > _rate(r.large, direction) for r in where):
            continue
        if all(_rate(monomial, direction) > _rate(bound, direction) for bound in bounds):
            return direction
    return None


@given(
    monomials,
    st.lists(monomials, min_size=1, max_size=3),
    st.sampled_from(([], ["a <= b"], ["a*b <= c"], ["a <= b", "b <= c**2"])),
)
def test_growth_agrees_with_brute_force(
    monomial: Exponents, bounds: list[Exponents], where: list[str]
) -> None:
    """A direction that is found does outgrow the bounds; where none is, a grid has none either."""
    relations = [relation(text) for text in where]
    direction = faster_direction(monomial, bounds, relations)
    if direction is None:
        assert _grid_direction(monomial, bounds, relations) is None
    else:
        assert all(rate >= 0 for rate in direction.values())
        assert all(_rate(r.small, direction) <= _rate(r.large, direction) for r in relations)
        assert all(_rate(monomial, direction) > _rate(bound, direction) for bound in bounds)


@given(polynomials.filter(lambda p: bool(p.terms)))
def test_growth_keeps_the_order_of_magnitude(polynomial: Polynomial) -> None:
    """Dropping constants and lower terms changes nothing in big-O, in either direction."""
    growth = leading_terms(polynomial)
    assert dominated(polynomial, growth)
    assert dominated(growth, polynomial)


@pytest.mark.parametrize(
    ("growth", "bound", "where", "holds"),
    [
        ("n*d", "n + d", [], False),
        ("n*d", "n**2 + d**2", [], True),
        ("w*w", "n*w", [], False),
        ("w*w", "n*w", ["w <= n"], True),
        ("n**2*d + n*d**2", "n**2*d", [], False),
        ("n", "1", [], False),
        ("5", "1", [], True),
    ],
)
def test_growth_in_every_order_of_the_symbols(
    growth: str, bound: str, where: list[str], holds: bool
) -> None:
    """One big-O holds only if it does in whatever order the symbols grow."""
    relations = [relation(text) for text in where]
    assert dominated(parse(growth).expand(), parse(bound).expand(), relations) is holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "__import__('os')",
        "a.b",
        "a if b else c",
        "9**9**9**9",
        "2**(10**10)",
        "(" * 500 + "1" + ")" * 500,
        "-" * 5000 + "1",
        "1/0",
        "sqrt(-1)",
        "exp(10000)",
        "[x for x in a]",
        "'text'",
        "True",
        "a" * 1000,
    ],
)
def test_hostile_text_is_refused_at_once(text: str) -> None:
    """What is no formula, or has no value, is a FormulaError and nothing else."""
    with pytest.raises(FormulaError):
        parse(text).evaluate({"a": 1, "b": 1, "c": 1})
