"""From meter readings to an exact formula, or to none.

Readings over a grid of sizes are fitted with non-negative coefficients on monomials of the
size symbols, and the coefficients are rounded to simple fractions. The formula is accepted only if
it predicts every reading exactly, including those held out of the fit. Otherwise each symbol x in
turn is replaced by x - 1, because some honest work has a negative term: moving all but one entry of
a window, for instance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product

import numpy as np

from quizprep.formula import Polynomial
from quizprep.formula.polynomial import summed
from quizprep.meter import Meter, MeterKind
from quizprep.worker.judge.growth_proof import Enlarged, most_suspect

DENOMINATORS = (1, 2, 3, 4, 6, 8, 16)
MAX_MONOMIALS = 600

Powers = tuple[int, ...]
"""The power of each symbol, in the order of the symbols."""


Terms = dict[Powers, Fraction]
"""Monomials with exact, non-zero coefficients."""


@dataclass(frozen=True)
class Measured:
    """The readings of one meter at all points.

    values    the readings; empty if the work could not be counted
    formula   the exact formula; None if none predicts every reading
    maximum   without a formula: those of which the reading is always the largest, each with the
              condition under which it counts, or ""
    slopes    without a formula: the measured exponent of the reading, by symbol
    suspect   the place of the point at which the reading exceeds most what the contract's formula
              allows; None with a formula, or if it exceeds it nowhere
    enlarged  the proof that it grows faster than is allowed, if there is one
    largest   the reading at the largest point; ``solution`` is the solution's reading there
    """

    meter: Meter
    values: tuple[int, ...] = ()
    formula: Polynomial | None = None
    maximum: tuple[tuple[Polynomial, str], ...] = ()
    slopes: Mapping[str, float] = field(default_factory=dict)
    suspect: int | None = None
    enlarged: Enlarged | None = None
    largest: int = 0
    solution: int | None = None

    @property
    def growth(self) -> Polynomial | None:
        """A formula that grows as the reading does: of a maximum, the sum."""
        if self.formula is not None or not self.maximum:
            return self.formula
        return summed(formula for formula, _ in self.maximum)


@dataclass(frozen=True)
class Grid:
    """The sizes at which meters are read, and the monomials that they can distinguish.

    sizes  (points, symbols), positive
    """

    symbols: tuple[str, ...]
    sizes: np.ndarray
    powers: tuple[Powers, ...]
    table: np.ndarray
    """(points, monomials): each monomial's value at each point."""

    @staticmethod
    def over(
        symbols: Sequence[str],
        points: Sequence[Mapping[str, int]],
        tiles: Mapping[str, Sequence[str]],
    ) -> Grid:
        """The grid of these points; ``tiles`` maps a tile size to the lengths that it divides."""
        sizes = np.array([[point[s] for s in symbols] for point in points], dtype=np.float64)
        powers = tuple(_monomials(symbols, sizes, tiles))
        return Grid(tuple(symbols), sizes, powers, _table(sizes, powers))

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The cosines between the columns of the table, their lengths, and which pairs of monomials
        have the same powers of all symbols with fewer than three values."""
        norms = np.linalg.norm(self.table, axis=0)
        norms[norms == 0] = 1.0
        columns = self.table / norms
        powers = np.array(self.powers)
        few = [a for a in range(len(self.symbols)) if _distinct(self.sizes[:, a]) < 3]
        alike = (powers[:, None, few] == powers[None, :, few]).all(axis=2)
        return columns.T @ columns, norms, alike

    def at(self, places: Sequence[int]) -> Grid:
        """The same monomials at some of the points."""
        chosen = list(places)
        return Grid(self.symbols, self.sizes[chosen], self.powers, self.table[chosen])

    def less_one(self, axis: int) -> Grid:
        """The same monomials with the symbol of this place reduced by one."""
        sizes = self.sizes.copy()
        sizes[:, axis] -= 1
        return Grid(self.symbols, sizes, self.powers, _table(sizes, self.powers))


def _table(sizes: np.ndarray, powers: Sequence[Powers]) -> np.ndarray:
    table = np.ones((len(sizes), len(powers)))
    for place, monomial in enumerate(powers):
        for axis, power in enumerate(monomial):
            if power:
                table[:, place] *= sizes[:, axis] ** power
    return table


def _monomials(
    symbols: Sequence[str], sizes: np.ndarray, tiles: Mapping[str, Sequence[str]]
) -> list[Powers]:
    """Candidate monomials. A symbol with more than three values may appear squared, one with a
    single value not at all.

    A tile size may divide the lengths that it cuts: tiled work is a number of tiles times a
    polynomial
    in the tile size. So next to lengths of total power p, a tile size has powers from -p to 2 - p,
    or to
    1 - p if there are several tile sizes.
    """
    place = {symbol: axis for axis, symbol in enumerate(symbols)}
    cut = {place[tile]: [place[s] for s in lengths] for tile, lengths in tiles.items()}
    degrees = []
    for axis in range(len(symbols)):
        values = _distinct(sizes[:, axis])
        degrees.append(0 if axis in cut else min(values - 1, 2 if values > 3 else 1))
    lengths = {axis for axes in cut.values() for axis in axes}
    lengths |= {axis for axis, degree in enumerate(degrees) if degree == 2 and not cut}
    most = 2 if len(cut) < 2 else 3
    top = 2 if len(cut) < 2 else 1
    found: list[Powers] = []
    for powers in product(*(range(degree + 1) for degree in degrees)):
        if sum(powers[axis] for axis in lengths) > most or sum(powers) > 6:
            continue
        ranges = [range(power, power + 1) for power in powers]
        for axis, axes in cut.items():
            total = sum(powers[a] for a in axes)
            # No more powers than it has values, else P/4 - 8 + 128/P may fit a constant 4.
            last = min(max(top - total, 0), _distinct(sizes[:, axis]) - 1 - total)
            ranges[axis] = range(-total, last + 1)
        found.extend(product(*ranges))
    return found[:MAX_MONOMIALS]


def _distinct(values: np.ndarray) -> int:
    """The number of different values; np.unique would import numpy.ma, which takes 30 ms."""
    return len(set(values.tolist()))


@dataclass(frozen=True)
class Fitting:
    """The readings at all points, from which a formula for each meter is fitted.

    largest  the place of the largest point; ``solution`` has the solution's readings there
    """

    grid: Grid
    held_out: Sequence[bool]
    largest: int
    samples: Sequence[dict[Meter, int]]
    solution: dict[Meter, int]

    def measured(self, meter: Meter, bound: Sequence[float], budget: float = 1.0) -> Measured:
        """The readings of a meter. ``bound`` is the value of the contract's growth at each point,
        ``budget`` the multiple of the solution's work that element-wise work may take."""
        if any(meter not in sample for sample in self.samples):
            return Measured(meter, solution=self.solution.get(meter))
        values = tuple(sample[meter] for sample in self.samples)
        formula = fit(self.grid, values, self.held_out)
        within = formula is not None or self._within(meter, bound, budget)
        return Measured(
            meter=meter,
            values=values,
            formula=formula,
            slopes={} if formula is not None else slopes(self.grid, values),
            suspect=None if within else most_suspect(values, bound),
            largest=values[self.largest],
            solution=self.solution.get(meter),
        )

    def _within(self, meter: Meter, bound: Sequence[float], budget: float) -> bool:
        """Whether the readings nowhere exceed the bound, scaled to the solution's reading.

        Piecewise costs (rows that see nothing when n > m) have no formula and no single exponent,
        but may
        still satisfy the bound. The bound is for all work, so element-wise work is added to the
        products;
        it may be the larger part at small sizes.
        """
        parts = [meter]
        if meter.kind is MeterKind.ELEMENTWISE:
            parts.append(meter.of(MeterKind.FLOPS))
        total = sum(self.solution.get(part, 0) for part in parts)
        constant = budget * total / bound[self.largest]
        return all(
            sum(sample[part] for part in parts) <= constant * limit
            for sample, limit in zip(self.samples, bound, strict=True)
        )


def fit(grid: Grid, readings: Sequence[int], held_out: Sequence[bool]) -> Polynomial | None:
    """The formula that predicts every reading exactly, or None."""
    found = _fit(grid, readings, held_out)
    if found is not None:
        return _polynomial(grid, found)
    for axis in range(len(grid.symbols)):
        powers = {monomial[axis] for monomial in grid.powers}
        # Not for a tile, which may be a divisor, nor for sizes of 1, which would become 0.
        if min(powers) < 0 or max(powers) == 0 or grid.sizes[:, axis].min() <= 1:
            continue
        found = _fit(grid.less_one(axis), readings, held_out)
        if found is not None:
            return _polynomial(grid, _expanded(found, axis))
    return None


def fit_two(grid: Grid, readings: Sequence[int]) -> Polynomial | None:
    """The formula of two terms, of any sign, that predicts every reading exactly, or None.

    The terms differ only in symbols with three values or more: with two values, a difference could
    stand for a condition, and would be false at a third.
    """
    target = np.array(readings, dtype=np.float64)
    gram, norms, alike = grid.pairs
    moment = (grid.table / norms).T @ target
    determinant = 1.0 - gram * gram
    possible = alike & (determinant > 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (moment[:, None] - gram * moment[None, :]) / determinant
        explained = first * moment[:, None]
    missing = np.abs(target @ target - explained - explained.T)
    found = np.argwhere(possible & (missing < 1e-9 * (target @ target)))
    for i, j in found:
        if i >= j:
            continue
        terms = {}
        for k, value in ((i, first[i, j]), (j, first[j, i])):
            coefficient = _simple(float(value / norms[k]))
            if coefficient is not None:
                terms[grid.powers[k]] = coefficient
        if len(terms) == 2 and _predicts(terms, grid, readings):
            return _polynomial(grid, terms)
    return None


def _polynomial(grid: Grid, terms: Terms) -> Polynomial:
    return Polynomial.of(
        {
            tuple(sorted((s, p) for s, p in zip(grid.symbols, powers, strict=True) if p)): c
            for powers, c in terms.items()
        }
    )


def _expanded(terms: Terms, axis: int) -> Terms:
    """A formula in x - 1, rewritten in x, for the symbol x at this place."""
    whole: Terms = {}
    for powers, coefficient in terms.items():
        power = powers[axis]
        for lower in range(power + 1):
            monomial = (*powers[:axis], lower, *powers[axis + 1 :])
            part = coefficient * math.comb(power, lower) * (-1) ** (power - lower)
            whole[monomial] = whole.get(monomial, Fraction(0)) + part
    return {monomial: c for monomial, c in whole.items() if c}


def _fit(grid: Grid, readings: Sequence[int], held_out: Sequence[bool]) -> Terms | None:
    target = np.array(readings, dtype=np.float64)
    if not target.any():
        return {}
    used = ~np.array(held_out)
    weights = 1.0 / np.maximum(target, 1.0)
    table = grid.table * weights[:, None]
    norms = np.linalg.norm(table[used], axis=0)
    norms[norms == 0] = 1.0
    solution = _non_negative(table[used] / norms, target[used] * weights[used]) / norms
    support = [k for k in range(len(solution)) if _matters(solution[k], table[:, k])]
    for _ in range(4):
        if not support or len(support) >= int(used.sum()):
            return None
        columns = table[used][:, support]
        scale = np.linalg.norm(columns, axis=0)
        refit, *_ = np.linalg.lstsq(columns / scale, target[used] * weights[used], rcond=None)
        refit = refit / scale
        significant = [k for k, c in zip(support, refit, strict=True) if _matters(c, table[:, k])]
        if significant == support:
            break
        support = significant
    terms: Terms = {}
    for k, coefficient in zip(support, refit, strict=True):
        simple = _simple(float(coefficient))
        if simple is None:
            return None
        terms[grid.powers[k]] = simple
    return terms if _predicts(terms, grid, readings) else None


def _matters(coefficient: float, column: np.ndarray) -> bool:
    return bool(abs(coefficient) * np.max(np.abs(column)) > 1e-7)


def _simple(value: float) -> Fraction | None:
    for denominator in DENOMINATORS:
        top = round(value * denominator)
        if top and abs(value * denominator - top) < 1e-3 * max(1.0, abs(top) * 1e-3):
            return Fraction(top, denominator)
    return None


def _predicts(terms: Terms, grid: Grid, readings: Sequence[int]) -> bool:
    """Whether every reading is met exactly. Computed in integers, scaled by all denominators,
    because fractions would take longer than the fit."""
    bottom = math.lcm(*(coefficient.denominator for coefficient in terms.values()))
    lowest = [min(0, *powers) for powers in zip(*terms, strict=True)]
    whole = [
        (
            coefficient.numerator * (bottom // coefficient.denominator),
            [power - low for power, low in zip(powers, lowest, strict=True)],
        )
        for powers, coefficient in terms.items()
    ]
    for row, reading in zip(grid.sizes.astype(np.int64).tolist(), readings, strict=True):
        total = sum(top * math.prod(map(pow, row, powers)) for top, powers in whole)
        if total != reading * bottom * math.prod(
            s**-low for s, low in zip(row, lowest, strict=True)
        ):
            return False
    return True


def _non_negative(table: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Non-negative least squares by Lawson and Hanson's active-set method (1974)."""
    count = table.shape[1]
    solution = np.zeros(count)
    active = np.zeros(count, dtype=bool)
    gram, moment = table.T @ table, table.T @ target
    for _ in range(3 * count):
        gradient = moment - gram @ solution
        gradient[active] = -np.inf
        enter = int(np.argmax(gradient))
        if gradient[enter] <= 1e-12:
            break
        active[enter] = True
        while True:
            chosen = np.flatnonzero(active)
            trial, *_ = np.linalg.lstsq(table[:, chosen], target, rcond=None)
            if trial.min(initial=1.0) > 0:
                solution[:] = 0
                solution[chosen] = trial
                break
            falling = trial <= 0
            current = solution[chosen]
            step = np.min(current[falling] / np.maximum(current[falling] - trial[falling], 1e-300))
            solution[chosen] = np.maximum(current + step * (trial - current), 0)
            active[chosen[falling & (solution[chosen] <= 1e-14)]] = False
        if np.linalg.norm(target - table @ solution) < 1e-12 * np.linalg.norm(target):
            break
    return solution


def slopes(grid: Grid, readings: Sequence[int]) -> dict[str, float]:
    """By symbol, the measured exponent of readings: a plane fitted in log space."""
    ratios = np.maximum(np.array(readings, dtype=np.float64), 1.0)
    varying = [a for a in range(len(grid.symbols)) if _distinct(grid.sizes[:, a]) > 1]
    table = np.column_stack([np.ones(len(ratios)), np.log(grid.sizes[:, varying])])
    found, *_ = np.linalg.lstsq(table, np.log(ratios), rcond=None)
    return {grid.symbols[a]: round(float(s), 3) for a, s in zip(varying, found[1:], strict=True)}
