"""Contracts: measured formulas against what an exercise allows."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.exercises import Contract, Limit
from quizprep.formula import parse
from quizprep.grading.contract import judge_readings, judge_witness, name_cost_mistakes
from quizprep.grading.wire import CostResult, Named, Reading, Term, WitnessResult

SIZES = {"n": (4, 8, 16), "m": (4, 8, 16), "w": (1, 2, 4)}


def reading(meter: str, formula: str, largest: int = 100, own: int = 100) -> Reading:
    """A reading with an exact formula."""
    terms = tuple(
        Term(top=Fraction(c).numerator, bottom=Fraction(c).denominator, powers=dict(monomial))
        for monomial, c in parse(formula).expand().terms
    )
    return Reading(
        meter=meter,
        terms=terms,
        slopes={},
        excess={},
        values=(largest,),
        largest=largest,
        solution_largest=own,
    )


def measured(meter: str, slopes: dict[str, float], excess: dict[str, float]) -> Reading:
    """A reading without a formula."""
    return Reading(
        meter=meter,
        terms=None,
        slopes=slopes,
        excess=excess,
        values=(1, 2),
        largest=2,
        solution_largest=2,
    )


def status(found: Reading, limit: Limit, where: tuple[str, ...] = ()) -> tuple[str, str]:
    """Status and message of one peak reading under a limit."""
    contract = Contract(sizes=SIZES, where=where, peak_bytes=limit)
    (verdict,) = judge_readings(CostResult(status="pass", readings=(found,)), contract)
    return verdict.status, verdict.message


@pytest.mark.parametrize(
    ("formula", "growth", "where", "wanted"),
    [
        ("8*n*w + 4*n", "n*w", (), "pass"),
        ("8*n*w + w*w", "n*w", (), "fail"),
        ("8*n*w + w*w", "n*w", ("w <= n",), "pass"),
        ("n*m", "n*w", ("w <= n",), "fail"),
        ("1000", "n", (), "pass"),
        ("n*m/w", "n*m", (), "pass"),
        ("n**2*m + n*m**2", "n**2*m", (), "fail"),
    ],
)
def test_growth_is_compared_in_every_symbol(
    formula: str, growth: str, where: tuple[str, ...], wanted: str
) -> None:
    """A block's w*w passes where n*w is allowed and w <= n; the other symbol still counts."""
    assert status(reading("peak_bytes", formula), Limit(growth=growth), where)[0] == wanted


def test_a_failure_says_what_grows() -> None:
    """The sentence names the term and the symbols along which it outgrows the contract."""
    _, message = status(reading("peak_bytes", "4*n*m + 8*n"), Limit(growth="n*w"), ("w <= n",))
    assert "n*m grows faster" in message
    assert "m grows" in message


def test_an_exact_contract_takes_no_other_formula() -> None:
    """Twice the traffic has the right growth and still fails where the traffic is exact."""
    assert status(reading("peak_bytes", "8*n*m"), Limit(exact="8*n*m"))[0] == "pass"
    assert status(reading("peak_bytes", "12*n*m"), Limit(exact="8*n*m"))[0] == "fail"


def test_a_budget_is_a_multiple_of_the_solution() -> None:
    """The right growth at too many copies fails, and says how many."""
    within = reading("peak_bytes", "n*m", largest=29_000, own=10_000)
    beyond = reading("peak_bytes", "n*m", largest=31_000, own=10_000)
    limit = Limit(growth="n*m", budget=3)
    assert status(within, limit)[0] == "pass"
    assert status(beyond, limit) == (
        "fail",
        "3.10 times the solution's 10,000 bytes at the largest size; 3 times is allowed",
    )


def test_beside_a_solution_that_takes_nothing_there_is_no_multiple() -> None:
    """What is over the budget is said in bytes: no number of times nothing is anything."""
    limit = Limit(growth="n*m", budget=3)
    found = status(reading("peak_bytes", "n*m", largest=1 << 20, own=0), limit)
    assert found[0] == "fail"
    assert "1,048,576 bytes at the largest size, where the solution takes none" in found[1]
    assert "times" not in found[1]


def test_measured_growth_stands_in_for_a_formula() -> None:
    """Without a formula an exponent clearly beyond the contract's fails, a small one passes."""
    limit = Limit(growth="n")
    assert status(measured("peak_bytes", {"n": 1.1}, {"n": 0.1}), limit)[0] == "pass"
    outcome, message = status(measured("peak_bytes", {"n": 2.0}, {"n": 1.0}), limit)
    assert outcome == "fail"
    assert "n" in message


def test_a_symbol_kept_small_is_judged_with_what_keeps_it_small() -> None:
    """With w <= n, growing w alone is no growth: only w together with n is held against it."""
    found = measured("peak_bytes", {"w": 2.0}, {"w": 1.0, "n": -1.0})
    assert status(found, Limit(growth="n*w"), ("w <= n",))[0] == "pass"
    assert status(found, Limit(growth="n*w"))[0] == "fail"


def test_a_mistake_of_cost_is_named_by_its_whole_signature_only() -> None:
    """An exact signature needs the exact formula; a growth needs the growth, both ways."""
    contract = Contract(sizes=SIZES)
    known = (Named(id="reads_twice", says="", concept="c"), Named(id="full", says="", concept="c"))
    signatures = {"reads_twice": {"moved_bytes": "12*n*m"}, "full": {"peak_bytes": "~n*m"}}

    def named(*readings: Reading) -> list[str]:
        cost = CostResult(status="pass", readings=readings, named=known, signatures=signatures)
        return [mistake.id for mistake in name_cost_mistakes(cost, contract)]

    assert named(reading("moved_bytes", "12*n*m")) == ["reads_twice"]
    assert named(reading("moved_bytes", "12*n*m + n")) == []
    assert named(reading("peak_bytes", "4*n*m + n")) == ["full"]
    assert named(reading("peak_bytes", "4*n*m*w")) == []
    assert named(reading("peak_bytes", "4*n")) == []


@pytest.mark.parametrize(
    ("formula", "wanted"), [("0", "pass"), ("4", "fail"), ("n", "fail"), ("n + 4", "fail")]
)
@pytest.mark.parametrize("kind", ["growth", "exact"])
def test_a_contract_of_nothing_allows_nothing(kind: str, formula: str, wanted: str) -> None:
    """Where the contract says 0, a constant fails as well as what grows."""
    found = status(reading("peak_bytes", formula), Limit(**{kind: "0"}))
    assert (found[0], bool(found[1])) == (wanted, wanted == "fail")


def test_what_has_no_formula_is_not_the_exact_one() -> None:
    """Measured exponents cannot show that a reading is what an exact contract asks for."""
    found = status(measured("peak_bytes", {"n": 1.0}, {}), Limit(exact="4*n"))
    assert found == ("fail", "no exact formula; the contract asks for exactly 4*n")


@given(st.integers(1, 10**6), st.floats(1, 8), st.booleans())
def test_a_budget_alone_says_nothing_of_growth(own: int, budget: float, more: bool) -> None:
    """Without growth or formula any reading within the budget passes, however it grows."""
    largest = int(own * budget) + (4 << 20 if more else 0)
    found = status(reading("peak_bytes", "n**2*m**2*w", largest, own), Limit(budget=budget))
    assert found[0] == ("fail" if more else "pass")


POINT = {"n": 64, "m": 64, "w": 4}


def test_memory_that_nobody_can_read_is_not_judged() -> None:
    """On a system without a witness the verdict says so, and does not fail for it."""
    cost = CostResult(status="pass", witness=WitnessResult(params=POINT, available=False))
    found = judge_witness(cost, Contract(sizes=SIZES))
    assert found is not None
    assert (found.status, "cannot be read" in found.message) == ("skip", True)


@given(st.integers(0, 1 << 40))
def test_the_watched_peak_is_believed_where_no_contract_bounds_it(metered: int) -> None:
    """The meters explain what the process grew by, if nothing says how a peak may grow."""
    witness = WitnessResult(params=POINT, resident=metered, metered=metered)
    found = judge_witness(CostResult(status="pass", witness=witness), Contract(sizes=SIZES))
    assert found is not None
    assert (found.status, found.metered) == ("pass", metered)
