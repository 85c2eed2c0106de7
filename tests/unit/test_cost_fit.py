"""The fit finds the formula behind readings, or none; never one that does not predict."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprep.formula import parse
from quizprep.worker.judge.cost_fit import Grid, fit, slopes

SIZES = {"b": [1, 2], "h": [1, 2, 3], "n": [32, 64, 96, 128], "m": [32, 64, 96], "d": [8, 16, 24]}
TILED = {"b": [1, 2], "n": [48, 96, 144], "m": [48, 96, 144], "d": [4, 6, 8], "t": [16, 24, 48]}


def points(sizes: dict[str, list[int]], count: int) -> list[dict[str, int]]:
    """Distinct points of a grid, the same every time."""
    rng = Random(5)
    found: dict[tuple[int, ...], None] = {}
    while len(found) < count:
        found[tuple(rng.choice(values) for values in sizes.values())] = None
    return [dict(zip(sizes, row, strict=True)) for row in found]


PLAIN = points(SIZES, 28)
HELD = [place % 5 == 3 for place in range(len(PLAIN))]
GRID = Grid.over(list(SIZES), PLAIN, {})
CUT = points(TILED, 24)
CUT_GRID = Grid.over(list(TILED), CUT, {"t": ["n", "m"]})

MONOMIALS = st.sampled_from(GRID.powers)
COSTS = st.dictionaries(MONOMIALS, st.integers(1, 40), min_size=1, max_size=4)


def value(terms: dict[tuple[int, ...], int], point: dict[str, int]) -> int:
    """A polynomial at a point."""
    total = 0
    for powers, coefficient in terms.items():
        part = coefficient
        for size, power in zip(point.values(), powers, strict=True):
            part *= size**power
        total += part
    return total


@settings(deadline=None, max_examples=150)
@given(COSTS)
def test_a_formula_that_is_found_predicts_every_reading(terms: dict[tuple[int, ...], int]) -> None:
    """Whatever is returned gives each reading exactly, held-out ones included."""
    readings = [value(terms, point) for point in PLAIN]
    found = fit(GRID, readings, HELD)
    if found is not None:
        assert all(c.denominator == 1 for _, c in found.terms)
        assert [found.evaluate(point) for point in PLAIN] == readings


@pytest.mark.parametrize(
    "cost",
    [
        lambda b, h, n, m, d: 4 * b * h * n * m * d,
        lambda b, h, n, m, d: 8 * b * h * n * m,
        lambda b, h, n, m, d: 12 * b * h * n * m + n * m,
        lambda b, h, n, m, d: 5 * b * h * n * m + b * h * n * d + n * m,
        lambda b, h, n, m, d: 4 * b * h * n * n * d + 2 * b * h * n,
    ],
)
def test_costs_of_attention_are_recovered(cost: Callable[..., int]) -> None:
    """The formulas that textbook attention has come back term by term."""
    found = fit(GRID, [cost(**point) for point in PLAIN], HELD)
    assert found is not None
    ones = dict.fromkeys(SIZES, 1)
    assert found.evaluate(ones) == cost(**ones)


@pytest.mark.parametrize(
    "cost",
    [
        lambda b, n, m, d, t: 16 * b * t * t + 8 * b * d * t + 20 * b * t,
        lambda b, n, m, d, t: 5 * b * n * m + 7 * b * n * m // t,
        lambda b, n, m, d, t: 4 * b * n * m * d // t + 4 * b * n * d,
    ],
)
def test_costs_of_tiles_are_recovered(cost: Callable[..., int]) -> None:
    """A tile may stand in a denominator: n*m/t tiles, or values read once a tile."""
    held = [place % 5 == 3 for place in range(len(CUT))]
    found = fit(CUT_GRID, [cost(**point) for point in CUT], held)
    assert found is not None
    for powers, coefficient in found.terms:
        assert coefficient == Fraction(coefficient.numerator, 1), powers


@settings(deadline=None, max_examples=80)
@given(COSTS, st.integers(0, len(PLAIN) - 1), st.integers(1, 3))
def test_one_reading_that_does_not_fit_spoils_the_formula(
    terms: dict[tuple[int, ...], int], place: int, by: int
) -> None:
    """An anomaly at any point, held out or not, is never fitted away into a wrong formula."""
    readings = [value(terms, point) for point in PLAIN]
    readings[place] += by
    found = fit(GRID, readings, HELD)
    if found is not None:
        for reading, point in zip(readings, PLAIN, strict=True):
            assert found.evaluate(point) == reading


def test_no_reading_at_all_is_the_formula_zero() -> None:
    """Meters that never move have the empty formula, not none."""
    found = fit(GRID, [0] * len(PLAIN), HELD)
    assert found is not None
    assert found.terms == ()


def test_slopes_are_the_exponents_of_a_product() -> None:
    """Measured growth of a pure product is its powers, symbol by symbol."""
    readings = [point["b"] * point["n"] ** 2 * point["d"] for point in PLAIN]
    assert slopes(GRID, readings) == {"b": 1.0, "h": 0.0, "n": 2.0, "m": 0.0, "d": 1.0}


@given(st.lists(st.integers(1, 10**9), min_size=len(PLAIN), max_size=len(PLAIN)))
def test_readings_without_a_pattern_have_no_formula(readings: list[int]) -> None:
    """Numbers drawn at random are met by no formula, unless they are all the same one."""
    if len(set(readings)) > len(PLAIN) // 2:
        assert fit(GRID, readings, HELD) is None


def test_as_many_terms_as_readings_are_no_formula() -> None:
    """A formula with a term for each reading it was fitted to would explain anything."""
    one = Grid.over(["n"], [{"n": 2}, {"n": 3}], {})
    assert fit(one, [1, 5], [False, False]) is None
    assert fit(one, [7, 7], [False, True]) is None


@pytest.mark.parametrize(
    "cost",
    [
        lambda b, h, n, m, d: 16 * b * h * (n - 1) * d + 8 * b * h * d,
        lambda b, h, n, m, d: 4 * b * h * m * n * (d - 1),
        lambda b, h, n, m, d: 2 * b * h * n * (n - 1) * d,
    ],
)
def test_all_but_one_of_a_size_is_recovered(cost: Callable[..., int]) -> None:
    """Work on all entries but one has a formula with a negative term, in the symbols as given."""
    found = fit(GRID, [cost(**point) for point in PLAIN], HELD)
    assert found is not None
    other = {"b": 5, "h": 7, "n": 11, "m": 13, "d": 17}
    assert found.evaluate(other) == cost(**other)


def test_a_tile_of_two_sizes_has_two_powers() -> None:
    """What does not depend on the tile is not read as t/4 - 8 + 128/t, which is 4 at 16 and 32."""
    sizes = {"n": [32, 64, 96, 128], "d": [4, 6, 8], "t": [16, 32]}
    rows = points(sizes, 20)
    grid = Grid.over(list(sizes), rows, {"t": ["n"]})
    held = [place % 5 == 3 for place in range(len(rows))]
    found = fit(grid, [8 * row["n"] * row["d"] + 4 * row["n"] for row in rows], held)
    assert found is not None
    assert found == parse("8*n*d + 4*n").expand()
