"""From an exercise's data to a job: which cases, which sizes, in which order.

Fixed cases cover every pair of values of every two parameters. They come first, small ones before
large ones, so that the first failure is the smallest counter-example, with the single ones that
the exercise adds. Fresh cases are drawn from a
seed that the report prints. All of it is deterministic in the exercise and that seed.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from random import Random

from msgspec.structs import replace

from quizprep.content.exercises import CaseSpec, Contract, ExerciseSpec
from quizprep.formula import two_sides
from quizprep.grading.verdict import Params, Scalar
from quizprep.grading.wire import Case, Compared, Point

CANDIDATES = 24
"""Random rows from which each covering row is chosen."""

ATTEMPTS = 200
"""Random draws after which the relations between sizes are taken to be unsatisfiable."""

REPEATED = 10
"""One drawn case in this many is followed by the same sizes with other values."""

GUARDED = 3
"""In an exercise with guard zones of NaN, one case in this many has guard zones of ones."""

_EXACT = ("float32", "float64")
"""Dtypes in which gradients are judged; half precision has too few digits after a backward pass."""

HELD_OUT = 5
"""One point in this many is held out of the fit, to test it."""

Row = tuple[Scalar, ...]
"""A value for every parameter of a case, then its dtype, layout and magnitude."""


def holds(where: Sequence[str]) -> Callable[[Mapping[str, Scalar]], bool]:
    """A test of relations such as ``n <= m`` on parameters."""
    pairs = [two_sides(text) for text in where]

    def test(params: Mapping[str, Scalar]) -> bool:
        sizes = {name: value for name, value in params.items() if type(value) is int}
        return all(a.evaluate(sizes) <= b.evaluate(sizes) for a, b in pairs)

    return test


def _columns(cases: CaseSpec) -> dict[str, Sequence[Scalar]]:
    """The values that each column of a row may have, by name."""
    return {
        **cases.sizes,
        **cases.options,
        "dtype": cases.dtypes,
        "layout": cases.layouts,
        "magnitude": cases.magnitudes,
    }


def fixed_cases(name: str, spec: ExerciseSpec) -> tuple[Case, ...]:
    """The cases that are the same for everybody, smallest first."""
    cases = spec.cases
    rng = Random(zlib.crc32(name.encode()))
    columns = _columns(cases)
    satisfies = holds(cases.where)

    def fits(row: Row) -> bool:
        return satisfies(dict(zip(columns, row, strict=True)))

    def draw() -> Row | None:
        rows = (tuple(map(rng.choice, columns.values())) for _ in range(ATTEMPTS))
        return next(filter(fits, rows), None)

    sizes = [min(values) for values in cases.sizes.values()]
    smallest = (*sizes, *(values[0] for values in list(columns.values())[len(sizes) :]))
    chosen = [smallest] if fits(smallest) else []
    covered = {pair for row in chosen for pair in _pairs(row)}
    while len(chosen) < cases.fixed:
        rows = [row for row in (draw() for _ in range(CANDIDATES)) if row is not None]
        if not rows:
            break
        best = max(rows, key=lambda row: sum(pair not in covered for pair in _pairs(row)))
        chosen.append(best)
        covered.update(_pairs(best))
    if not chosen:
        return ()
    ordered = sorted(dict.fromkeys(chosen), key=lambda row: _volume(row[: len(sizes)]))
    drawn = [
        _case(spec, row, seed=1000 + place, place=place, fresh=False)
        for place, row in enumerate(ordered)
    ]
    extra = [_extra(spec, values, seed=2000 + place) for place, values in enumerate(cases.extra)]
    # Sorting is stable: a case stays before its repetition.
    return tuple(
        sorted(
            (*_with_repeats(drawn), *extra),
            key=lambda case: _volume([case.params[name] for name in cases.sizes]),
        )
    )


def gpu_cases(spec: ExerciseSpec) -> tuple[Case, ...]:
    """The launches for which machine code is made."""
    return tuple(_extra(spec, values, seed=4000 + place) for place, values in enumerate(spec.gpu))


def _with_repeats(cases: Sequence[Case]) -> Iterator[Case]:
    """The cases, some of them followed by the same sizes with other values."""
    for place, case in enumerate(cases):
        yield case
        if place % REPEATED == REPEATED - 1:
            yield replace(case, seed=3000 + place, again=True, twice=False)


def _extra(spec: ExerciseSpec, values: Mapping[str, Scalar], seed: int) -> Case:
    """A listed case; what it does not name has the first of the listed values."""
    first = {name: column[0] for name, column in _columns(spec.cases).items()}
    row = tuple({**first, **values}.values())
    return replace(_case(spec, row, seed, place=1, fresh=False), twice=False)


def fresh_cases(spec: ExerciseSpec, seed: int) -> tuple[Case, ...]:
    """Cases drawn from a secret seed: with sizes in the range of the listed ones, and all other
    values as listed."""
    cases = spec.cases
    rng = Random(seed)
    columns = _columns(cases)
    satisfies = holds(cases.where)
    in_range = {name: cases.sizes[name] for name in cases.sizes if name not in cases.listed}
    found: list[Case] = []
    for _ in range(cases.fresh * 20):
        if len(found) == cases.fresh:
            break
        row = tuple(
            rng.randint(min(in_range[name]), max(in_range[name]))
            if name in in_range
            else rng.choice(values)
            for name, values in columns.items()
        )
        if satisfies(dict(zip(columns, row, strict=True))):
            found.append(_case(spec, row, rng.getrandbits(48), place=len(found), fresh=True))
    return tuple(found)


def _pairs(row: Row) -> list[tuple[int, int, Scalar, Scalar]]:
    return [(a, b, row[a], row[b]) for a, b in combinations(range(len(row)), 2)]


def _volume(sizes: Sequence[Scalar]) -> int:
    return math.prod(max(size, 1) for size in sizes if isinstance(size, int))


def _case(spec: ExerciseSpec, row: Row, seed: int, place: int, fresh: bool) -> Case:
    *values, dtype, layout, magnitude = row
    assert isinstance(magnitude, float | int)
    return Case(
        params=dict(zip((*spec.cases.sizes, *spec.cases.options), values, strict=True)),
        dtype=str(dtype),
        layout=str(layout),
        magnitude=float(magnitude),
        seed=seed,
        guards=spec.cases.guards and place % GUARDED != GUARDED - 1,
        twice=place % 4 == 1,
        fresh=fresh,
        gradients=spec.cases.gradients if place % 3 == 0 and dtype in _EXACT else (),
    )


def cost_points(name: str, contract: Contract, seed: int) -> tuple[Point, ...]:
    """Points of the contract's grid, smallest first; the largest one is always among them.

    The sizes are the same for everybody; the values of the inputs come from the seed, so that
    answers
    to earlier calls cannot be replayed.
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
        # Time grows with the number of tiles, so the one of two draws with fewer tiles is kept.
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
    """The number of tiles that these sizes are cut into."""
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
