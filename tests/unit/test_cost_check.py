"""What was measured against what an exercise's contract allows, and beside the solution."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.exercises import Contract, Limit
from quizprep.exercise import Mistake
from quizprep.formula import Polynomial, parse
from quizprep.grading.verdict import Witness
from quizprep.grading.wire import Point
from quizprep.meter import Meter
from quizprep.worker.judge.cost_check import CostCheck
from quizprep.worker.judge.cost_fit import Measured
from quizprep.worker.judge.growth_proof import Enlarged, enlargements
from quizprep.worker.judge.witness import WatchedCall

SIZES = {"n": (4, 8, 16), "m": (4, 8, 16), "w": (1, 2, 4)}


def exactly(meter: str, formula: str, largest: int = 100, own: int = 100) -> Measured:
    """A reading with an exact formula."""
    return Measured(
        meter=Meter.parse(meter),
        values=(largest,),
        formula=parse(formula).expand(),
        largest=largest,
        solution=own,
    )


def measured(meter: str, slopes: dict[str, float], proof: Enlarged | None = None) -> Measured:
    """A reading without a formula."""
    return Measured(
        meter=Meter.parse(meter),
        values=(1, 2),
        slopes=slopes,
        enlarged=proof,
        largest=2,
        solution=2,
    )


def status(found: Measured, limit: Limit, where: tuple[str, ...] = ()) -> tuple[str, str]:
    """Status and message of one peak reading under a limit."""
    contract = Contract(sizes=SIZES, where=where, peak_bytes=limit)
    (reading,) = CostCheck(contract, (found,), {}).readings()
    return reading.status, reading.message


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
    assert status(exactly("peak_bytes", formula), Limit(growth=growth), where)[0] == wanted


def test_a_failure_says_what_grows() -> None:
    """The sentence names the term and the symbols along which it outgrows the contract."""
    _, message = status(exactly("peak_bytes", "4*n*m + 8*n"), Limit(growth="n*w"), ("w <= n",))
    assert "n*m grows faster" in message
    assert "m grows" in message


def test_an_exact_contract_takes_no_other_formula() -> None:
    """Twice the traffic has the right growth and still fails where the traffic is exact."""
    assert status(exactly("peak_bytes", "8*n*m"), Limit(exact="8*n*m"))[0] == "pass"
    assert status(exactly("peak_bytes", "12*n*m"), Limit(exact="8*n*m"))[0] == "fail"


def test_a_budget_is_a_multiple_of_the_solution() -> None:
    """The right growth at too many copies fails, and says how many."""
    within = exactly("peak_bytes", "n*m", largest=29_000, own=10_000)
    beyond = exactly("peak_bytes", "n*m", largest=31_000, own=10_000)
    limit = Limit(growth="n*m", budget=3)
    assert status(within, limit)[0] == "pass"
    assert status(beyond, limit) == (
        "fail",
        "3.10 times the solution's 10,000 bytes at the largest size; 3 times is allowed",
    )


def test_beside_a_solution_that_takes_nothing_there_is_no_multiple() -> None:
    """What is over the budget is said in bytes: no number of times nothing is anything."""
    limit = Limit(growth="n*m", budget=3)
    found = status(exactly("peak_bytes", "n*m", largest=1 << 20, own=0), limit)
    assert found[0] == "fail"
    assert "1,048,576 bytes at the largest size, where the solution takes none" in found[1]
    assert "times" not in found[1]


def test_without_a_formula_growth_fails_by_proof_only() -> None:
    """However steep a regression is, it takes a measured enlargement to fail."""
    limit = Limit(growth="n")
    assert status(measured("peak_bytes", {"n": 2.0}), limit)[0] == "pass"
    proof = Enlarged("n from 8 to 32", before=10_000, after=160_000, allowed=4)
    outcome, message = status(measured("peak_bytes", {"n": 2.0}, proof), limit)
    assert outcome == "fail"
    assert message == "with n from 8 to 32 it grows 16 times; the contract allows 4 times"


AT = Point(params={"n": 64, "w": 16, "d": 8}, seed=0, held_out=False)


def proofs(bound: str, where: tuple[str, ...], slopes: dict[str, float]) -> dict[str, float]:
    """By the sizes that are enlarged, how much a reading may grow under a bound."""
    contract = Contract(sizes={"n": (64,), "w": (16,), "d": (8,)}, where=where)
    found = enlargements(contract, AT, parse(bound).expand(), slopes)
    return {"".join(names): allowed for names, _, allowed in found}


def test_what_is_enlarged_could_outgrow_the_bound() -> None:
    """Sizes of which the bound has no product are enlarged together, a size by itself where the
    bound lacks it or the readings are steeper; what a relation keeps small comes with what does."""
    flat = {"n": 1.0, "w": 0.0, "d": 1.0}
    assert proofs("n*d", (), flat) == {"w": 1}
    assert proofs("n + d", (), flat) == {"w": 1, "nd": 4}
    assert proofs("n*d", (), {"n": 2.0, "w": 0.0, "d": 1.0}) == {"n": 4, "w": 1}
    assert proofs("n*d", ("w <= n",), flat) == {"nw": 4}
    assert "w" not in proofs("n*w", ("w <= n",), {"n": 1.0, "w": 2.0})


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 50))
def test_no_constant_makes_a_proof(one: int, two: int, three: int) -> None:
    """A reading that the bound's terms make up is never found to outgrow it, whatever their
    coefficients; one more product is."""
    contract = Contract(sizes={"n": (64,), "w": (16,), "d": (8,)})
    bound = parse("n*d + w*d").expand()
    within = parse(f"{one}*n*d + {two}*w*d + {three}*d + 9000").expand()
    beyond = parse(f"{one}*n*w").expand()

    def outgrows(cost: Polynomial) -> bool:
        def at(point: Point) -> int:
            return int(cost.evaluate({name: int(str(v)) for name, v in point.params.items()}))

        return any(
            Enlarged("", at(AT), at(point), allowed).outgrows
            for _, point, allowed in enlargements(contract, AT, bound, {})
        )

    assert not outgrows(within)
    assert outgrows(beyond)


def test_a_mistake_of_cost_is_named_by_its_whole_signature_only() -> None:
    """An exact signature needs the exact formula; a growth needs the growth, both ways."""
    known = {
        "reads_twice": Mistake("", "c", cost={"moved_bytes": "12*n*m"}),
        "full": Mistake("", "c", cost={"peak_bytes": "~n*m"}),
        "of_outputs": Mistake("", "c"),
    }

    def named(*found: Measured) -> list[str]:
        check = CostCheck(Contract(sizes=SIZES), found, {})
        return [mistake.id for mistake in check.named_mistakes(known)]

    assert named(exactly("moved_bytes", "12*n*m")) == ["reads_twice"]
    assert named(exactly("moved_bytes", "12*n*m + n")) == []
    assert named(exactly("peak_bytes", "4*n*m + n")) == ["full"]
    assert named(exactly("peak_bytes", "4*n*m*w")) == []
    assert named(exactly("peak_bytes", "4*n")) == []


@pytest.mark.parametrize(
    ("formula", "wanted"), [("0", "pass"), ("4", "fail"), ("n", "fail"), ("n + 4", "fail")]
)
@pytest.mark.parametrize("kind", ["growth", "exact"])
def test_a_contract_of_nothing_allows_nothing(kind: str, formula: str, wanted: str) -> None:
    """Where the contract says 0, a constant fails as well as what grows."""
    found = status(exactly("peak_bytes", formula), Limit(**{kind: "0"}))
    assert (found[0], bool(found[1])) == (wanted, wanted == "fail")


def test_what_has_no_formula_is_not_the_exact_one() -> None:
    """Measured exponents cannot show that a reading is what an exact contract asks for."""
    found = status(measured("peak_bytes", {"n": 1.0}), Limit(exact="4*n"))
    assert found == ("fail", "no exact formula; the contract asks for exactly 4*n")


@given(st.integers(1, 10**6), st.floats(1, 8), st.booleans())
def test_a_budget_alone_says_nothing_of_growth(own: int, budget: float, more: bool) -> None:
    """Without growth or formula any reading within the budget passes, however it grows."""
    largest = int(own * budget) + (4 << 20 if more else 0)
    found = status(exactly("peak_bytes", "n**2*m**2*w", largest, own), Limit(budget=budget))
    assert found[0] == ("fail" if more else "pass")


POINT = {"n": 64, "m": 64, "w": 4}


def witness(seen: WatchedCall | None) -> Witness:
    """The judgement of a watched call where no contract says anything of the peak."""
    return CostCheck(Contract(sizes=SIZES), (), {}).witness(seen)


def test_memory_that_nobody_can_read_is_not_judged() -> None:
    """On a system without a witness the verdict says so, and does not fail for it."""
    found = witness(None)
    assert (found.status, "cannot be read" in found.message) == ("skip", True)


@given(st.integers(0, 1 << 40))
def test_the_watched_peak_is_believed_where_no_contract_bounds_it(metered: int) -> None:
    """The meters explain what the process grew by, if nothing says how a peak may grow."""
    found = witness(WatchedCall(params=POINT, growth=metered, metered=metered))
    assert (found.status, found.metered) == ("pass", metered)


@pytest.mark.parametrize(
    ("formula", "own", "says"),
    [
        ("8*n*m", "8*n*m", ""),
        ("8*n*m + n^2", "8*n*m", "yours grows with n^2"),
        ("12*n*m", "8*n*block", "yours grows with n*m"),
        ("12*n*m + n", "8*n*m", "other constants or smaller terms"),
        # Slower growth is no news under a reading that passes.
        ("8*n", "8*n*m", ""),
        ("8*block^2", "8*n*block", ""),
    ],
)
def test_the_sentence_names_what_differs_from_the_solution(
    formula: str, own: str, says: str
) -> None:
    """Growth that the solution lacks is named first; equal formulas need no words."""
    contract = Contract(
        sizes={"n": (1, 2), "m": (1, 2), "block": (1, 2)},
        where=("block <= n",),
        peak_bytes=Limit(budget=1),
    )
    check = CostCheck(contract, (exactly("peak_bytes", formula),), {"peak_bytes": own})
    (reading,) = check.readings()
    assert reading.solution_formula == own
    assert says in reading.difference if says else reading.difference == ""
