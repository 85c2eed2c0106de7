"""Growth comparison: exact, and at once for anything that a learner can type."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from quizprep.formula import Exponents, Relation, faster_direction

NAMES = "abcd"
MONOMIALS = st.dictionaries(st.sampled_from(NAMES), st.integers(-1, 3).filter(bool)).map(
    lambda powers: tuple(sorted(powers.items()))
)
RATES = st.fixed_dictionaries({name: st.integers(0, 6).map(Fraction) for name in NAMES})


def rate(monomial: Exponents, rates: dict[str, Fraction]) -> Fraction:
    return sum((power * rates.get(name, Fraction(0)) for name, power in monomial), Fraction(0))


@given(
    MONOMIALS,
    st.lists(MONOMIALS, min_size=1, max_size=5),
    st.lists(st.builds(Relation, MONOMIALS, MONOMIALS), max_size=2),
    RATES,
)
def test_a_direction_is_given_exactly_when_the_monomial_outgrows_every_bound(
    monomial: Exponents, bounds: list[Exponents], where: list[Relation], rates: dict[str, Fraction]
) -> None:
    """What is returned is such a direction; where nothing is, none that we draw is one."""
    found = faster_direction(monomial, bounds, where)
    tried = rates if found is None else found
    outgrows = all(rate(monomial, tried) > rate(bound, tried) for bound in bounds)
    allowed = all(rate(r.small, tried) <= rate(r.large, tried) for r in where)
    assert (outgrows and allowed) == (found is not None)


def test_many_symbols_and_terms_are_compared_at_once() -> None:
    """Six symbols and eight terms, which elimination takes half a minute for, come back."""
    bounds = [
        (("b", 1), ("h", 3), ("m", 3), ("w", 3)), (("m", 3), ("w", 3)),
        (("d", 1), ("h", 1), ("w", 3)), (("d", 1), ("n", 3), ("w", 1)),
        (("d", 3), ("h", 2)), (("b", 3),), (("m", 1),), (),
    ]  # fmt: skip
    where = [Relation((("w", 1),), (("n", 1),)), Relation((("n", 1),), (("m", 1),))]
    found = faster_direction((("b", 1), ("d", 1), ("h", 1), ("n", 1), ("w", 1)), bounds, where)
    assert found is None or all(rate > 0 for rate in found.values())
