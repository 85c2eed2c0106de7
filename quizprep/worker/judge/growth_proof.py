"""Growth by measurement, where no exact formula predicts the readings.

A regression over the grid only raises a suspicion; a verdict needs proof. So one size is made
larger and all others stay, at the point where the reading is largest in comparison with what the
contract allows: there a term that is not allowed shows most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations

from quizprep.content.exercises import Contract
from quizprep.formula import Formula, Polynomial
from quizprep.formula.growth import two_sides
from quizprep.grading.wire import Point
from quizprep.meter import Meter, MeterKind

TIMES = 4
"""How many times as large a size is made: two doublings."""

MARGIN = 1.3
"""A reading may grow this many times as much as the contract's formula does."""

SMALL = 4096
"""Readings up to this say nothing of growth: rounding, and the numbers that any call makes."""


@dataclass(frozen=True)
class Enlarged:
    """A reading before and after sizes were enlarged, and by how much the contract's formula grows.

    sizes  in words: ``n from 64 to 256``
    """

    sizes: str
    before: int
    after: int
    allowed: float

    @property
    def outgrows(self) -> bool:
        """Whether the reading grows faster than is allowed."""
        return self.after > SMALL and self.after > MARGIN * self.allowed * max(self.before, 1)

    def says(self) -> str:
        """The measurement in words."""
        times = self.after / max(self.before, 1)
        return (
            f"with {self.sizes} it grows {times:.2g} times; the contract allows "
            f"{self.allowed:.2g} times"
        )


def enlargements(
    contract: Contract, at: Point, bound: Polynomial, slopes: Mapping[str, float]
) -> Iterator[tuple[tuple[str, ...], Point, float]]:
    """Sizes to enlarge together from a point, the point that this gives, and by how much the bound
    allows a reading to grow there.

    Single sizes, and two at a time, each with those that relations keep above it: a window that is
    at most n cannot grow without n. Only where the reading could grow by more: two sizes of which
    the bound has no product, or one in which ``slopes``, measured exponents, are above it.
    """
    relations = [two_sides(text) for text in contract.where]
    among_points = [two_sides(text) for text in contract.points_where]
    singles = {symbol: _closure(symbol, relations) for symbol in contract.sizes}
    wanted = [
        (names, allowed)
        for symbol, names in singles.items()
        if (allowed := _allowed(bound, names)) < TIMES ** (slopes.get(symbol, 0.0) - 0.3)
        or allowed < TIMES
    ]
    for one, two in combinations(singles.values(), 2):
        most = _allowed(bound, one) * _allowed(bound, two)
        allowed = _allowed(bound, one | two)
        if allowed < most:
            wanted.append((one | two, allowed))
    seen = set()
    for names, allowed in wanted:
        params = {
            name: TIMES * int(value or 0) if name in names else value
            for name, value in at.params.items()
        }
        sizes = {name: value for name, value in params.items() if type(value) is int}
        fits = all(a.evaluate(sizes) <= b.evaluate(sizes) for a, b in (*relations, *among_points))
        if fits and names not in seen:
            seen.add(names)
            order = tuple(name for name in contract.sizes if name in names)
            yield order, Point(params=params, seed=at.seed + 1, held_out=True), allowed


def _allowed(bound: Polynomial, names: Set[str]) -> float:
    """By how much the fastest term of the bound grows, whatever its coefficient."""
    powers = (
        sum(power for name, power in monomial if name in names) for monomial, _ in bound.terms
    )
    return float(TIMES) ** float(max(powers, default=0))


def _closure(symbol: str, relations: Sequence[tuple[Formula, Formula]]) -> frozenset[str]:
    """The size with all that relations keep above it."""
    names = {symbol}
    while more := _above(names, relations) - names:
        names |= more
    return frozenset(names)


def _above(names: set[str], relations: Sequence[tuple[Formula, Formula]]) -> set[str]:
    """The sizes on the larger side of relations in whose smaller side one of the names is."""
    return {name for small, large in relations if names & small.symbols for name in large.symbols}


def most_suspect(values: Sequence[int], bound: Sequence[float]) -> int:
    """The place of the point whose reading is largest in comparison with the bound."""
    return max(range(len(values)), key=lambda place: values[place] / bound[place])


def sizes_text(names: Sequence[str], at: Point) -> str:
    """The enlargement of these sizes from a point, in words."""
    each = ((name, int(at.params[name] or 0)) for name in names)
    return " and ".join(f"{name} from {size} to {TIMES * size}" for name, size in each)


def all_work(readings: Mapping[Meter, int], meter: Meter) -> int:
    """A reading; for work, matrix products and element-wise work together."""
    if meter.kind not in (MeterKind.FLOPS, MeterKind.ELEMENTWISE):
        return readings.get(meter, 0)
    kinds = (MeterKind.FLOPS, MeterKind.ELEMENTWISE)
    return sum(readings.get(meter.of(kind), 0) for kind in kinds)
