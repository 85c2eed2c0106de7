"""Is a measured cost allowed? Formulas are compared in every symbol; nothing is measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property

import msgspec

from quizprep.content.exercises import Comparison, Contract, Limit
from quizprep.exercise import Mistake
from quizprep.formula import (
    Polynomial,
    dominated,
    faster_direction,
    leading_terms,
    parse,
    relation,
)
from quizprep.grading.verdict import NamedMistake, Params, Reading, Witness
from quizprep.meter import Meter, MeterKind
from quizprep.text import mebibytes
from quizprep.worker.judge.cost_fit import Measured
from quizprep.worker.judge.witness import WatchedCall

SMALL_BYTES = 4096
"""A reading of at most this many bytes satisfies every budget."""

WORK_FLOOR = 4
"""The meters must see at least the solution's work divided by this, at the largest size."""

WITNESS_FACTOR = 1.6
WITNESS_SLACK = 3 << 20
"""Resident growth may exceed the meters by this factor and this many bytes: page granularity,
fragmentation, the interpreter's own memory."""

SENDING_COPIES = 4
"""Copies of the outputs in memory while they are made contiguous, serialised and framed."""

RETAINED_SLACK = 8 << 20
"""Bytes retained between calls that a call may access: the interpreter's and the libraries' own
objects, caches, a table of constants."""

CPU_TIME_FACTOR = 20
CPU_TIME_SLACK = 1.0
"""The watched call's CPU time may be at most this factor times the solution's plus this many
seconds. Honest loops are up to ten times slower, so the limit does not detect poor code, only work
of another kind."""

WRITTEN_SLACK = 1 << 20
"""Bytes that may be written to files or to shared memory outside the inputs."""

EXTRAPOLATION = 2
"""The metered peak at the witness size may exceed the peak extrapolated from the largest metered
size by at most this factor."""


class CostCheck:
    """Compares a submission's readings with a contract."""

    def __init__(
        self,
        contract: Contract,
        measured: Sequence[Measured],
        solution: Mapping[str, str],
        bounded: Sequence[str] = (),
    ) -> None:
        """``solution`` has the solution's exact formulas, by the text of the meter; ``bounded``
        are operations whose work was not counted but held against an upper bound."""
        self._bounded = bounded
        self._contract = contract
        self._limits = contract.limits()
        self._where = tuple(relation(text) for text in contract.where)
        self._order = list(contract.sizes)
        self._measured = {each.meter: each for each in measured}
        self._solution = solution

    def readings(self) -> tuple[Reading, ...]:
        """Each meter, checked against its limit."""
        return self._readings

    @cached_property
    def _readings(self) -> tuple[Reading, ...]:
        return tuple(self._reading(each) for each in self._measured.values())

    def _reading(self, found: Measured) -> Reading:
        kind = found.meter.kind
        limit = self._limits[
            found.meter.of(MeterKind.FLOPS) if kind is MeterKind.ELEMENTWISE else found.meter
        ]
        required = limit.exact or limit.growth or ""
        if found.formula is None and not found.values:
            return Reading(
                meter=found.meter,
                status="skip",
                required=required,
                message="not counted: your code leaves numpy's arrays (np.asarray, a list)",
            )
        problems = [
            *self._growth_problems(found, limit),
            *self._budget_problems(found, limit),
            *self._floor_problems(found),
        ]
        formula, growth, message = "", self._measured_growth(found), "; ".join(problems)
        if found.growth is not None:
            formula = self._text(found)
            growth = leading_terms(found.growth, self._where).text(self._order)
        elif not message:
            message = "no exact formula predicts all readings; the growth is a measurement"
        if self._bounded and kind is MeterKind.FLOPS:
            names = ", ".join(self._bounded)
            said = f"the work of {names} is not known here, an upper bound stands for it"
            message = f"{message}; {said}" if message else said
        reading = Reading(
            meter=found.meter,
            status="fail" if problems else "pass",
            formula=formula,
            growth=growth,
            required=parse(required).text if required else "",
            message=message,
            largest=found.largest,
            solution=found.solution,
        )
        return self._beside_solution(reading, found.growth)

    def _text(self, found: Measured) -> str:
        """The formula, or the largest of several."""
        if found.formula is not None:
            return found.formula.text(self._order)
        parts = (
            formula.text(self._order) + (f" if {when}" if when else "")
            for formula, when in found.maximum
        )
        return f"max({', '.join(parts)})"

    def _measured_growth(self, found: Measured) -> str:
        """The growth in words, each size by itself."""
        slopes = ((name, found.slopes.get(name, 0.0)) for name in self._order)
        parts = [
            f"like {name if abs(slope - 1) < 0.1 else f'{name}^{slope:.1f}'} in {name}"
            for name, slope in slopes
            if abs(slope) >= 0.15
        ]
        return (
            f"no formula; it grows {', '.join(parts)}" if parts else "no formula; it hardly grows"
        )

    def _growth_problems(self, found: Measured, limit: Limit) -> list[str]:
        if limit.exact is not None and found.meter.kind is not MeterKind.ELEMENTWISE:
            exact = parse(limit.exact).expand()
            asked = f"the contract asks for exactly {exact.text(self._order)}"
            if found.formula is None:
                return [f"no exact formula; {asked}"]
            return [] if found.formula == exact else [asked]
        if limit.growth is None:
            return []
        if found.growth is None:
            return [found.enlarged.says()] if found.enlarged is not None else []
        bound = parse(limit.growth).expand()
        faster = self._faster_term(found.growth, bound)
        if faster is None:
            return []
        term, direction = faster
        if not direction:
            return ["it is not 0, which the contract asks for"]
        names = [name for name in self._order if name in direction]
        when = f"{' and '.join(names)} {'grows' if len(names) == 1 else 'grow together'}"
        return [f"{term} grows faster than the contract's {bound.text(self._order)} when {when}"]

    def _faster_term(
        self, found: Polynomial, bound: Polynomial
    ) -> tuple[str, Mapping[str, Fraction]] | None:
        """A term that outgrows the bound, and the direction in which it does."""
        bounds = [monomial for monomial, _ in bound.terms]
        for monomial, _ in found.terms:
            direction = faster_direction(monomial, bounds, self._where)
            if direction is not None:
                return Polynomial(((monomial, Fraction(1)),)).text(self._order), direction
        return None

    def _with_elementwise(self, found: Measured) -> tuple[int, int]:
        """All work of the submission and of the solution. Matrix products may be written as
        element-wise work, so both kinds count together."""
        parts = [found, self._measured.get(found.meter.of(MeterKind.ELEMENTWISE))]
        known = [part for part in parts if part is not None]
        return sum(part.largest for part in known), sum(part.solution or 0 for part in known)

    def _budget_problems(self, found: Measured, limit: Limit) -> list[str]:
        kind = found.meter.kind
        if limit.budget is None or found.solution is None or kind is MeterKind.ELEMENTWISE:
            return []
        used, solution = found.largest, found.solution
        if kind is MeterKind.FLOPS:
            used, solution = self._with_elementwise(found)
        if used <= limit.budget * max(solution, SMALL_BYTES):
            return []
        if solution == 0:
            return [f"{used:,} {kind.unit} at the largest size, where the solution takes none"]
        return [
            f"{used / solution:.2f} times the solution's {solution:,} {kind.unit} at the largest "
            f"size; {limit.budget:g} times is allowed"
        ]

    def _floor_problems(self, found: Measured) -> list[str]:
        """Too little metered work. Every answer needs some work, so the rest was hidden from the
        meters."""
        if found.meter.kind is not MeterKind.FLOPS or found.solution is None:
            return []
        seen, solution = self._with_elementwise(found)
        if seen * WORK_FLOOR >= solution:
            return []
        return [
            f"the meters saw {seen:,} operations at the largest size, where the solution takes "
            f"{solution:,}: your code works where they cannot see it"
        ]

    def _beside_solution(self, reading: Reading, found: Polynomial | None) -> Reading:
        """The reading with the solution's formula, if one is recorded, and the difference in
        words."""
        text = self._solution.get(str(reading.meter), "")
        if not text or found is None:
            return reading
        solution = parse(text).expand()
        difference = ""
        if found != solution:
            faster = self._faster_term(found, solution) if solution.terms else None
            if faster is not None:
                difference = f"yours grows with {faster[0]}; the solution's is {text}"
            elif not dominated(solution, found, self._where):
                # Where it is allowed, there is nothing to do about it.
                slower = f"yours grows more slowly than the solution's {text}"
                difference = slower if reading.status == "fail" else ""
            else:
                difference = (
                    f"the growth of the solution's {text}, with other constants or smaller terms"
                )
        return msgspec.structs.replace(reading, solution_formula=text, difference=difference)

    def named_mistakes(self, known: Mapping[str, Mistake]) -> tuple[NamedMistake, ...]:
        """The mistakes of cost whose whole signature matches the readings."""
        return tuple(
            NamedMistake.of(name, mistake)
            for name, mistake in known.items()
            if mistake.cost and all(self._matches(*item) for item in mistake.cost.items())
        )

    def _matches(self, meter: str, signature: str) -> bool:
        found = self._measured.get(Meter.parse(meter))
        if found is None or found.formula is None:
            return False
        if not signature.startswith("~"):
            return found.formula == parse(signature).expand()
        wanted = parse(signature[1:]).expand()
        return dominated(found.formula, wanted, self._where) and dominated(
            wanted, found.formula, self._where
        )

    # --- witness ---

    def witness(self, seen: WatchedCall | None) -> Witness:
        """Does the process confirm its meters? ``seen`` is None if it could not be watched."""
        if seen is None:
            return Witness(
                status="skip", message="resident memory cannot be read from outside on this system"
            )
        # This reading comes from the learner's process, so it may justify growth only up to the
        # peak that the readings at smaller sizes predict.
        seen = replace(seen, metered=min(seen.metered, self._expected_peak(seen.params)))
        message = _hidden(seen)
        return Witness(
            status="fail" if message else "pass",
            resident=seen.growth,
            metered=seen.metered + seen.outputs,
            message=message,
        )

    def _expected_peak(self, at: Params) -> int:
        """An upper bound in bytes for the peak at the witness's size: the fitted formula's value
        there, or, without a formula, the largest reading scaled by the contract's growth. Unlimited
        if the contract does not limit the peak."""
        meter = Meter(MeterKind.PEAK_BYTES)
        limit, found = self._limits.get(meter), self._measured.get(meter)
        growth = limit.growth or limit.exact if limit is not None else None
        if growth is None or found is None:
            return 1 << 62
        there = {name: int(str(at[name])) for name in self._order}
        if found.growth is not None:
            return int(EXTRAPOLATION * max(float(found.growth.evaluate(there)), SMALL_BYTES))
        bound = parse(growth).expand()
        here = {name: max(values) for name, values in self._contract.sizes.items()}
        # A symbol that is smaller at the witness's size does not lower the bound.
        clamped = {name: max(size, there[name]) for name, size in here.items()}
        scale = float(bound.evaluate(clamped)) / float(bound.evaluate(here))
        return int(EXTRAPOLATION * max(found.largest, SMALL_BYTES) * scale)


def compared(comparison: Comparison, at: int, against: int) -> Reading:
    """The reading at one point as a fraction of the reading at another."""
    share = at / max(against, 1)
    return Reading(
        meter=Meter(comparison.meter),
        status="pass" if share <= comparison.at_most else "fail",
        required=f"at most {comparison.at_most:g} of {against:,}",
        growth=f"{share:.2f} of {against:,}",
        message="" if share <= comparison.at_most else comparison.says,
        largest=at,
    )


def _hidden(seen: WatchedCall) -> str:
    """What the process used that its meters did not see, in words; "" if nothing."""
    at = ", ".join(f"{name}={value}" for name, value in seen.params.items())
    metered = seen.metered + seen.outputs
    sending = metered + SENDING_COPIES * seen.outputs
    if seen.written > WRITTEN_SLACK:
        return (
            f"your code wrote {mebibytes(seen.written)} into files or shared memory: what it "
            "works with must be where the meters see it"
        )
    if seen.retained > RETAINED_SLACK:
        return (
            f"in the call ({at}) your code used {mebibytes(seen.retained)} that it had kept from "
            "before: working memory made beforehand is memory all the same"
        )
    used, solution = seen.cpu_time / 1e9, seen.solution_time / 1e9
    if used > CPU_TIME_FACTOR * solution + CPU_TIME_SLACK:
        return (
            f"the process worked for {used:.1f} s at {at}, where the solution takes "
            f"{solution:.2f} s: your code works where the meters cannot see it"
        )
    for grown, explained in ((seen.growth, metered), (seen.sending_growth, sending)):
        if grown > WITNESS_FACTOR * explained + WITNESS_SLACK:
            return (
                f"the meters saw {mebibytes(explained)}, but the process grew by "
                f"{mebibytes(grown)} ({at}): your code uses memory that the meters cannot see"
            )
    return ""
