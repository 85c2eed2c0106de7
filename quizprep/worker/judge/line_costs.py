"""What each line of a submission costs, and what is alive when its peak is reached.

Readings by line are simpler than their totals: one line often has a formula where the sum, or the
maximum over all moments, has none. So a total that has no formula by itself gets the sum of its
lines', and a peak the maximum over the moments that reach it, if these predict every reading.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, permutations
from typing import Literal

import msgspec

from quizprep.formula import Polynomial
from quizprep.formula.polynomial import summed
from quizprep.grading.verdict import Alive, LineCost, Reading
from quizprep.meter import Meter, MeterKind
from quizprep.worker.judge.cost_fit import Grid, Measured, fit, fit_two
from quizprep.worker.judge.phase_readings import PointLines
from quizprep.worker.protocol import LineWork, Moment

MOST_PIECES = 3
"""Formulas of which a peak is the largest; with more the text would tell nothing."""

FEWEST_POINTS = 6
"""Points at which a moment must occur for its formula to be told."""

WORK = (MeterKind.FLOPS, MeterKind.ELEMENTWISE, MeterKind.MOVED_BYTES)


@dataclass(frozen=True)
class Condition:
    """That a product of sizes is greater than 1, that each of several is, or that one size is
    greater than another; or that it is not so."""

    kind: Literal["product", "each", "larger"]
    names: tuple[str, ...]
    negated: bool = False

    def holds(self, sizes: Mapping[str, int]) -> bool:
        values = [sizes[name] for name in self.names]
        match self.kind:
            case "product":
                found = math.prod(values) > 1
            case "each":
                found = min(values) > 1
            case _:
                found = values[0] > values[1]
        return found != self.negated

    def __str__(self) -> str:
        match self.kind:
            case "product":
                return f"{'*'.join(self.names)} {'=' if self.negated else '>'} 1"
            case "each":
                text = " and ".join(f"{name} > 1" for name in self.names)
                return f"not {text}" if self.negated else text
            case _:
                return f"{self.names[0]} {'<=' if self.negated else '>'} {self.names[1]}"


@dataclass(frozen=True)
class Piece:
    """The bytes that are alive at one moment.

    line   at which it is
    alive  the formula of what each line made, by that line
    when   the condition under which the moment occurs; None if it always does
    """

    formula: Polynomial
    line: int
    alive: Mapping[int, Polynomial]
    when: Condition | None = None


class LineCosts:
    """The readings of one submission by line, at all points; of a script, in one phase."""

    def __init__(
        self,
        grid: Grid,
        held_out: Sequence[bool],
        largest: int,
        points: Sequence[PointLines],
        phase: str = "",
    ) -> None:
        """``points`` are the readings at each point, in one ``phase`` of a script, ``largest`` is
        the place of the largest point."""
        self._grid = grid
        self._held_out = held_out
        self._largest = largest
        self._phase = phase
        self._work = [point.work for point in points]
        self._moments = [point.moments for point in points]
        self._pieces: tuple[Piece, ...] = ()
        self._peaks: tuple[int, ...] = ()
        """The readings of the peak, once it was improved."""
        self._sizes = [
            {name: int(size) for name, size in zip(grid.symbols, row, strict=True)}
            for row in grid.sizes.tolist()
        ]
        self._fits: dict[tuple[int, ...], Polynomial | None] = {}

    def _fitted(self, values: tuple[int, ...]) -> Polynomial | None:
        """The formula of readings at all points."""
        if values not in self._fits:
            self._fits[values] = self._fit(self._grid, values, self._held_out)
        return self._fits[values]

    def _fit(
        self, grid: Grid, values: Sequence[int], held_out: Sequence[bool]
    ) -> Polynomial | None:
        found = fit(grid, values, held_out)
        return found if found is not None and self._safe(found) else fit_two(grid, values)

    def _safe(self, formula: Polynomial) -> bool:
        """Whether each term has all symbols with fewer than three values that occur at all, or
        none of them. Otherwise a sum could stand for a condition, and would be false elsewhere."""
        sizes = zip(self._grid.symbols, self._grid.sizes.T, strict=True)
        few = {name for name, column in sizes if len(set(column)) < 3}
        kinds = {
            frozenset((name, power) for name, power in monomial if name in few)
            for monomial, _ in formula.terms
        }
        return len(kinds - {frozenset()}) < 2

    def _numbers(self) -> list[int]:
        """The lines that did any work."""
        return sorted({line for work in self._work for line in work})

    def _values(self, line: int, kind: MeterKind) -> tuple[int, ...]:
        nothing = LineWork(line=line)
        return tuple(int(getattr(work.get(line, nothing), kind)) for work in self._work)

    def total(self, kind: MeterKind, readings: Sequence[int]) -> Polynomial | None:
        """The formula of a total: the sum of its lines', if each has one."""
        if kind not in WORK:
            return None
        columns = [self._values(line, kind) for line in self._numbers()]
        if not columns or [sum(row) for row in zip(*columns, strict=True)] != list(readings):
            return None
        formulas = [formula for values in columns if (formula := self._fitted(values)) is not None]
        return summed(formulas) if len(formulas) == len(columns) else None

    def peak(self, readings: Sequence[int]) -> tuple[Piece, ...]:
        """The moments of which one reaches the peak at every point, the one at the largest point
        first; none if these have no formulas, or do not predict every reading."""
        sizes = [
            {place: sum(moment.alive.values()) for place, moment in moments.items()}
            for moments in self._moments
        ]
        reached = [
            {place for place, size in found.items() if size == peak}
            for found, peak in zip(sizes, readings, strict=True)
        ]
        if not all(reached):
            return ()
        pieces: list[Piece] = []
        left = [self._largest, *(at for at in range(len(reached)) if at != self._largest)]
        while left and len(pieces) <= MOST_PIECES:
            # One that holds everywhere is found first.
            candidates = sorted(
                reached[left[0]],
                key=lambda place: (-sum(place in reached[at] for at in left), place),
            )
            made = ((place, self._pieces_of(place, left[0])) for place in candidates[:4])
            place, found = next(((p, each) for p, each in made if each), ("", ()))
            if not found:
                return ()
            pieces += found
            left = [at for at in left if place not in reached[at]]
        if left or len(pieces) > MOST_PIECES or not self._predicts(pieces, readings):
            return ()
        return tuple(pieces)

    def _pieces_of(self, place: str, first: int) -> tuple[Piece, ...]:
        """The formulas of a moment: one, or two with a condition between them, of which the one
        that holds at the point ``first`` comes first."""
        present = [at for at, moments in enumerate(self._moments) if place in moments]
        whole = len(present) == len(self._moments)
        conditions = [None] if whole else self._conditions(present)
        for condition in conditions:
            piece = self._piece(place, present, condition)
            if piece is not None:
                return (piece,)
        if not whole:
            return ()
        for condition in self._conditions(None):
            holds = [at for at in present if condition.holds(self._sizes[at])]
            other = replace(condition, negated=True)
            if min(len(holds), len(present) - len(holds)) < FEWEST_POINTS:
                continue
            pieces = [
                self._piece(place, holds, condition),
                self._piece(place, [at for at in present if at not in holds], other),
            ]
            found = tuple(piece for piece in pieces if piece is not None)
            if len(found) == len(pieces):
                return found if first in holds else found[::-1]
        return ()

    def _piece(self, place: str, present: Sequence[int], when: Condition | None) -> Piece | None:
        """The formulas of a moment, from these of the points at which it occurs."""
        if len(present) < FEWEST_POINTS:
            return None
        moments = [self._moments[at][place] for at in present]
        alive: dict[int, Polynomial] = {}
        for line in sorted({line for moment in moments for line in moment.alive}):
            values = tuple(moment.alive.get(line, 0) for moment in moments)
            formula = self._fitted(values) if when is None else self._fitted_at(present, values)
            if formula is None:
                return None
            alive[line] = formula
        return Piece(summed(alive.values()), moments[0].line, alive, when)

    def _conditions(self, present: Sequence[int] | None) -> list[Condition]:
        """Conditions, the simplest first; those that hold at these points alone, if any are
        given."""
        symbols = self._grid.symbols
        found = [
            *(Condition("product", names) for k in (1, 2, 3) for names in combinations(symbols, k)),
            *(Condition("each", names) for names in combinations(symbols, 2)),
            *(Condition("larger", pair) for pair in permutations(symbols, 2)),
        ]
        if present is None:
            return found
        wanted = set(present)
        return [
            condition
            for condition in found
            if {at for at, sizes in enumerate(self._sizes) if condition.holds(sizes)} == wanted
        ]

    def _fitted_at(self, places: Sequence[int], values: Sequence[int]) -> Polynomial | None:
        """The formula of readings at some of the points, if these vary in every size."""
        rows = self._grid.sizes[list(places)]
        for axis in range(len(self._grid.symbols)):
            if len(set(rows[:, axis])) == 1 < len(set(self._grid.sizes[:, axis])):
                return None
        return self._fit(self._grid.at(places), values, [self._held_out[at] for at in places])

    def _predicts(self, pieces: Sequence[Piece], readings: Sequence[int]) -> bool:
        return all(
            reading
            == max(
                (
                    piece.formula.evaluate(sizes)
                    for piece in pieces
                    if piece.when is None or piece.when.holds(sizes)
                ),
                default=0,
            )
            for sizes, reading in zip(self._sizes, readings, strict=True)
        )

    def improved(self, found: Measured) -> Measured:
        """A reading with the formula that its lines have, if it has none by itself."""
        if not found.values:
            return found
        if found.meter.kind is MeterKind.PEAK_BYTES:
            self._peaks = tuple(found.values)
            self._pieces = pieces = self.peak(found.values)
            if found.formula is not None or not pieces:
                return found
            if len(pieces) == 1 and pieces[0].when is None:
                return replace(found, formula=pieces[0].formula, suspect=None)
            maximum = tuple((piece.formula, str(piece.when or "")) for piece in pieces)
            return replace(found, maximum=maximum, suspect=None)
        if found.formula is not None:
            return found
        formula = self.total(found.meter.kind, found.values)
        return found if formula is None else replace(found, formula=formula, suspect=None)

    def shown(self, source: str) -> ShownLines:
        """What the verdict says of the lines of this source."""
        text = source.splitlines()
        moment = max(
            self._moments[self._largest].values(),
            key=lambda moment: (sum(moment.alive.values()), moment.place),
            default=Moment(place="", line=0, alive={}),
        )
        # The moment of a formula, where there is one, among several that are as large.
        line = self._pieces[0].line if self._pieces else moment.line
        if not self._peaks or sum(moment.alive.values()) != self._peaks[self._largest]:
            # numpy's peak is read by tracemalloc, which cannot tell outputs from what was theirs.
            line, moment = 0, Moment(place="", line=0, alive={})
        return ShownLines(
            peaks={self._phase: line},
            lines=tuple(self._line(each, text, line) for each in self._numbers()),
            alive=self._alive(moment, _targets(source)),
        )

    def _line(self, number: int, text: Sequence[str], peak: int) -> LineCost:
        values = {kind: self._values(number, kind) for kind in WORK}
        formulas = {kind: self._fitted(each) for kind, each in values.items() if any(each)}
        return LineCost(
            line=number,
            phase=self._phase,
            text=text[number - 1].strip()[:200] if 0 < number <= len(text) else "",
            peak=0 < number == peak,
            formulas={
                str(kind): formula.text(self._grid.symbols)
                for kind, formula in formulas.items()
                if formula is not None
            },
            largest={str(k): each[self._largest] for k, each in values.items() if any(each)},
        )

    def _alive(self, moment: Moment, names: Mapping[int, str]) -> tuple[Alive, ...]:
        """What is alive at the peak at the largest size; formulas are those of the peak, or, if it
        has none, those that hold wherever this moment occurs."""
        sizes: Mapping[int, int] = moment.alive
        formulas: dict[int, Polynomial | None] = {}
        if self._pieces:
            formulas.update(self._pieces[0].alive)
            there = self._sizes[self._largest]
            sizes = {n: int(f.evaluate(there)) for n, f in self._pieces[0].alive.items()}
        else:
            present = [at for at, found in enumerate(self._moments) if moment.place in found]
            for line in moment.alive if len(present) >= FEWEST_POINTS else ():
                values = [self._moments[at][moment.place].alive.get(line, 0) for at in present]
                formulas[line] = self._fitted_at(present, values)
        return tuple(
            Alive(
                line=line,
                phase=self._phase,
                name=names.get(line, ""),
                formula=formula.text(self._grid.symbols) if formula is not None else "",
                largest=size,
            )
            for line, size in sorted(sizes.items())
            if size
            for formula in [formulas.get(line)]
        )


@dataclass(frozen=True)
class ShownLines:
    """What a verdict says of lines.

    peaks  the line at which the peak is reached, or 0, by the phase of a script
    """

    peaks: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[LineCost, ...] = ()
    alive: tuple[Alive, ...] = ()

    def named(self, readings: Sequence[Reading]) -> tuple[Reading, ...]:
        """The readings; one that fails names the line that costs most."""
        return tuple(
            msgspec.structs.replace(reading, message=f"{reading.message} ({where})")
            if reading.status == "fail" and (where := self._where(reading.meter))
            else reading
            for reading in readings
        )

    def _where(self, meter: Meter) -> str:
        if meter.kind is MeterKind.PEAK_BYTES:
            peak = self.peaks.get(meter.phase, 0)
            return f"reached in line {peak}" if peak else ""
        shares = {
            each.line: each.largest.get(str(meter.kind), 0)
            for each in self.lines
            if each.line and each.phase == meter.phase
        }
        most, total = max(shares.values(), default=0), sum(shares.values())
        if not most:
            return ""
        line = next(line for line, share in shares.items() if share == most)
        return f"{most / total:.0%} of it in line {line}"


def shown_lines(costs: Mapping[str, LineCosts], source: str) -> ShownLines:
    """What the verdict says of the lines of this source, phase by phase."""
    shown = [each.shown(source) for each in costs.values()]
    return ShownLines(
        peaks={phase: line for each in shown for phase, line in each.peaks.items()},
        lines=tuple(line for each in shown for line in each.lines),
        alive=tuple(alive for each in shown for alive in each.alive),
    )


def _targets(source: str) -> dict[int, str]:
    """By line, the variable that is assigned there; the first of several."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found: dict[int, str] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
            found.setdefault(line, ast.unparse(target)[:60])
    return found
