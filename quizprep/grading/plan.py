"""From an exercise's data to a job: which cases, which sizes, in which order.

Fixed cases cover every pair of values of every two parameters, small ones first, so that the
first failure is the smallest counter-example. Fresh ones are drawn from a seed the report
prints. All of it is deterministic in the exercise and that seed.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from random import Random
from typing import Any

from quizprep.content.exercises import Contract, ExerciseSpec
from quizprep.formula import two_sides
from quizprep.grading.verdict import Params, Scalar
from quizprep.grading.wire import Case, Compared, Point

CANDIDATES = 24
"""Random combinations from which each covering case is chosen."""

ATTEMPTS = 200
"""Draws before a set of relations is taken to be unsatisfiable."""

GUARDED = 3
"""Of so many cases in an exercise with guard zones, one goes without."""

_EXACT = ("float32", "float64")
"""Gradients are judged in these; a half has too few digits left after a backward pass."""

HELD_OUT = 5
"""One point in so many only tests the fit."""


def holds(where: Sequence[str]) -> Callable[[Mapping[str, Any]], bool]:
    """A test of relations such as ``n <= m`` on parameters."""
    pairs = [two_sides(text) for text in where]

    def test(params: Mapping[str, Any]) -> bool:
        sizes = {name: value for name, value in params.items() if type(value) is int}
        return all(a.evaluate(sizes) <= b.evaluate(sizes) for a, b in pairs)

    return test


def fixed_cases(name: str, spec: ExerciseSpec) -> tuple[Case, ...]:
    """The cases that are the same for everybody, smallest first."""
    cases = spec.cases
    rng = Random(zlib.crc32(name.encode()))
    fits = holds(cases.where)
    axes: dict[str, Sequence[Scalar]] = {**cases.sizes, **cases.options}
    names = [*axes, "dtype", "layout", "magnitude"]
    pools = [*axes.values(), cases.dtypes, cases.layouts, cases.magnitudes]
    chosen: list[tuple[Any, ...]] = []
    covered: set[tuple[int, int, Any, Any]] = set()

    def draw() -> tuple[Any, ...] | None:
        for _ in range(ATTEMPTS):
            row = tuple(rng.choice(pool) for pool in pools)
            if fits(dict(zip(names, row, strict=True))):
                return row
        return None

    sizes = [min(values) for values in cases.sizes.values()]
    smallest = (*sizes, *(pool[0] for pool in pools[len(sizes) :]))
    if fits(dict(zip(names, smallest, strict=True))):
        chosen.append(smallest)
        covered.update(_pairs(smallest))
    while len(chosen) < cases.fixed:
        rows = [row for row in (draw() for _ in range(CANDIDATES)) if row is not None]
        if not rows:
            break
        best = max(rows, key=lambda row: sum(pair not in covered for pair in _pairs(row)))
        chosen.append(best)
        covered.update(_pairs(best))
    chosen = list(dict.fromkeys(chosen))
    chosen.sort(key=lambda row: _volume(row[: len(cases.sizes)]))
    return tuple(
        _case(spec, axes, row, seed=1000 + place, place=place, fresh=False)
        for place, row in enumerate(chosen)
    )


def fresh_cases(spec: ExerciseSpec, seed: int) -> tuple[Case, ...]:
    """Cases drawn from a secret seed: sizes between the listed ones, everything else listed."""
    cases = spec.cases
    rng = Random(seed)
    fits = holds(cases.where)
    axes: dict[str, Sequence[Scalar]] = {**cases.sizes, **cases.options}
    found: list[Case] = []
    for _ in range(cases.fresh * 20):
        if len(found) == cases.fresh:
            break
        row: list[Any] = []
        for name, pool in axes.items():
            if name in cases.sizes and name not in cases.listed:
                row.append(rng.randint(min(cases.sizes[name]), max(cases.sizes[name])))
            else:
                row.append(rng.choice(pool))
        row += [rng.choice(cases.dtypes), rng.choice(cases.layouts), rng.choice(cases.magnitudes)]
        if fits(dict(zip(axes, row, strict=False))):
            found.append(_case(spec, axes, row, rng.getrandbits(48), place=len(found), fresh=True))
    return tuple(found)


def _pairs(row: Sequence[Any]) -> list[tuple[int, int, Any, Any]]:
    return [(a, b, row[a], row[b]) for a, b in combinations(range(len(row)), 2)]


def _volume(sizes: Sequence[int]) -> int:
    return math.prod(max(size, 1) for size in sizes)


def _case(
    spec: ExerciseSpec,
    axes: Mapping[str, Any],
    row: Sequence[Any],
    seed: int,
    place: int,
    fresh: bool,
) -> Case:
    dtype, layout, magnitude = row[len(axes) :]
    return Case(
        params=dict(zip(axes, row, strict=False)),
        dtype=dtype,
        layout=layout,
        magnitude=float(magnitude),
        seed=seed,
        guards=spec.cases.guards and place % GUARDED != GUARDED - 1,
        twice=place % 4 == 1,
        fresh=fresh,
        gradients=spec.cases.gradients if place % 3 == 0 and dtype in _EXACT else (),
    )


def cost_points(name: str, contract: Contract, seed: int) -> tuple[Point, ...]:
    """Points of the contract's grid, smallest first; the largest one is always among them.

    Which sizes is the same for everybody; which numbers the inputs hold comes from the seed,
    so that an answer remembered from an earlier call is of no use.
    """
    rng = Random(zlib.crc32(name.encode()) + 1)
    secret = Random(seed + 1)
    fits = holds((*contract.where, *contract.points_where))
    names = list(contract.sizes)
    largest = tuple(max(values) for values in contract.sizes.values())
    rows = {largest: None} if fits(dict(zip(names, largest, strict=True))) else {}
    grid_size = math.prod(len(set(values)) for values in contract.sizes.values())
    for _ in range(ATTEMPTS * contract.points):
        if len(rows) >= min(contract.points, grid_size):
            break
        drawn = [tuple(rng.choice(v) for v in contract.sizes.values()) for _ in range(2)]
        # Work in tiles costs time by the tile, so of two points the one with fewer is measured.
        row = min(drawn, key=lambda r: _tiles(dict(zip(names, r, strict=True)), contract.tiles))
        if fits(dict(zip(names, row, strict=True))):
            rows[row] = None
    ordered = sorted(rows, key=_volume)
    last = len(ordered) - 1
    return tuple(
        Point(
            params={**dict(zip(names, row, strict=True)), **contract.options},
            seed=secret.getrandbits(48),
            held_out=place % HELD_OUT == HELD_OUT - 2 and 0 < place < last,
        )
        for place, row in enumerate(ordered)
    )


def _tiles(sizes: Mapping[str, int], tiles: Mapping[str, Sequence[str]]) -> int:
    """How many tiles the sizes are cut into."""
    return math.prod(
        -(-sizes[length] // max(sizes[tile], 1)) for tile, cut in tiles.items() for length in cut
    )


def compared_points(contract: Contract, seed: int) -> tuple[Compared, ...]:
    """The pairs of points whose readings the contract compares."""
    secret = Random(seed + 2)

    def point(params: Params) -> Point:
        return Point(params=params, seed=secret.getrandbits(48), held_out=False)

    return tuple(
        Compared(at=point(dict(pair.at)), against=point(dict(pair.against)))
        for pair in contract.compare
    )


def witness_point(contract: Contract, seed: int) -> Point | None:
    """The large point at which the process is watched from outside."""
    if not contract.witness:
        return None
    params: Params = {**contract.witness, **contract.options}
    return Point(params=params, seed=Random(seed + 3).getrandbits(48), held_out=False)
