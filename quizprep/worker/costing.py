"""The cost stage: meters over a grid of sizes, a fitted formula each, witnesses from outside.

Whether a cost is allowed is decided by the parent, which compares formulas; here it is only
measured. Outputs at every metered point must be right as well: a submission that notices the
meters and does less work is found out by its outputs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from quizprep.grading import wire
from quizprep.worker import arena
from quizprep.worker.backends import Backend
from quizprep.worker.channel import Channel, LearnerGone
from quizprep.worker.compare import Expected, expect_roughly
from quizprep.worker.deck import Deck
from quizprep.worker.driving import Remote, Script, flat, metered_locally
from quizprep.worker.fit import Grid, fit, slopes
from quizprep.worker.folder import Reference, load_mistakes, load_solution
from quizprep.worker.kept import Kept
from quizprep.worker.learner import Instruments, measure
from quizprep.worker.watch import Watch


class Examiner(Protocol):
    """Who decides whether outputs are right: the judge."""

    def check(self, reply: wire.Reply, expected: Expected, params: wire.Params) -> tuple[str, Any]:
        """What is wrong with a reply, "" if nothing."""

    def script(
        self, script: Script, expected: Expected, params: wire.Params
    ) -> tuple[str, Any, Any]:
        """What is wrong with what a script gave, "" if nothing."""


ROUNDED = 64 << 10
"""Bytes by which a GPU's allocator may exceed the meters: 512 a block."""

HOST_WORK = 4
"""In a Triton exercise, arithmetic outside kernels per input element that still passes."""


KERNEL_WORK = 4
"""A Triton exercise's kernels do at least the solution's arithmetic divided by this."""


class CostFailed(Exception):
    """Measuring ended with something the learner should read."""


class Costing:
    """Reads the meters of one submission."""

    def __init__(
        self,
        job: wire.Job,
        watch: Watch,
        backend: Backend,
        channel: Channel,
        reference: Reference,
        examiner: Examiner,
        kept: Kept,
    ) -> None:
        self.job = job
        self.watch = watch
        self.backend = backend
        self.channel = channel
        self.reference = reference
        self.examiner = examiner
        self.kept = kept
        self._expected: tuple[arena.Laid, Expected] | None = None
        self._deck = Deck(job.points[0].seed if job.points else 0)

    def run(self) -> wire.CostResult:
        """All readings, or the reason why there are none."""
        try:
            readings = self._readings()
            compared = tuple(self._compare(pair) for pair in self.job.comparisons)
            seen = self._witness(self.job.witness) if self.job.witness else None
        except LearnerGone as gone:
            return wire.CostResult(
                status="fail", message=f"While its cost was measured, your code {gone}."
            )
        except CostFailed as failure:
            return wire.CostResult(status="fail", message=str(failure))
        known = load_mistakes(self.job.folder, self.reference).mistakes
        costly = {name: mistake for name, mistake in known.items() if mistake.cost}
        return wire.CostResult(
            status="pass",
            readings=readings,
            comparisons=compared,
            witness=seen,
            named=tuple(
                wire.Named(id=name, says=mistake.says, concept=mistake.concept)
                for name, mistake in costly.items()
            ),
            signatures={name: dict(mistake.cost) for name, mistake in costly.items()},
        )

    # --- points ---

    def _lay(self, point: wire.Point, draw: str = "") -> arena.Laid:
        """Inputs of a point. Each way of measuring draws its own, so that an answer remembered
        from one is of no use in the next."""
        self._deck.cut([point.seed, *draw.encode()])
        inputs = self.reference.make_inputs(self._deck, **point.params)
        return arena.lay_out(
            inputs, self.backend, self.job.cost_dtype, "contiguous", self.job.guards
        )

    def _measured(self, point: wire.Point, meter: str) -> dict[str, int]:
        """The readings at a point; the outputs there must be right. Raises CostFailed."""
        (readings,) = self._measured_all([(point, meter)])
        return readings

    def _measured_all(self, calls: Sequence[tuple[wire.Point, str]]) -> list[dict[str, int]]:
        """The readings of several calls, in order.

        The learner is at work on a call while the judge checks the one before it.
        """
        readings: list[dict[str, int]] = []
        before: tuple[wire.Point, str, arena.Laid, wire.Reply] | None = None
        laid = self._lay(*calls[0])
        for place, (point, meter) in enumerate(calls):
            if place % 8 == 0:
                self.channel.tell(wire.Progress(stage="cost", done=place, total=len(calls)))
            number = self.channel.order(laid, meter)
            following = calls[place + 1] if place + 1 < len(calls) else None
            same = following is None or following[0] is point
            ahead = laid if same or following is None else self._lay(*following)
            if before is not None:
                readings.append(self._checked(*before))
            reply = self.channel.answer(number)
            changed = self.channel.changed(laid)
            if changed:
                raise CostFailed(
                    f"While its cost was measured, your code changed its input {changed}; "
                    "inputs belong to the caller."
                )
            before = (point, meter, laid, reply)
            laid = ahead
        if before is not None:
            readings.append(self._checked(*before))
        return readings

    def _checked(
        self, point: wire.Point, meter: str, laid: arena.Laid, reply: wire.Reply
    ) -> dict[str, int]:
        if self._expected is None or self._expected[0] is not laid:
            args = laid.views(self.backend)
            self._expected = (laid, expect_roughly(self.reference.solve, args, self.backend))
        self._right(reply, self._expected[1], point)
        readings = {name: max(value, 0) for name, value in reply.readings.items()}
        missing = sorted(self._needed(meter) - readings.keys())
        if missing:
            raise CostFailed(f"Your code's process gave no reading of {', '.join(missing)}.")
        if self.job.runtime == "triton" and meter == "dispatch":
            self._host_rules(readings, laid)
        return readings

    def _right(self, reply: wire.Reply, expected: Expected, point: wire.Point) -> None:
        message, _ = self.examiner.check(reply, expected, point.params)
        if message:
            sizes = ", ".join(f"{name}={value}" for name, value in point.params.items())
            raise CostFailed(f"While its cost was measured ({sizes}): {message}")

    def _needed(self, meter: str) -> set[str]:
        """The readings that a reply cannot lack; a count of numpy's work may be impossible."""
        if meter == "profile":
            return {"peak_bytes"}
        if meter == "dispatch" and self.job.runtime != "numpy":
            return {*self.job.meters, *(pair.meter for pair in self.job.comparisons)}
        return {"peak_bytes", "held_bytes"} if meter == "dispatch" else set()

    def _host_rules(self, readings: dict[str, int], laid: arena.Laid) -> None:
        if readings.get("launches", 0) == 0:
            raise CostFailed("Your code launches no Triton kernel; this exercise is to write one.")
        size = sum(math.prod(a.shape) for a in laid.args if isinstance(a, wire.TensorAt))
        if readings.get("host_work", 0) > HOST_WORK * max(size, 1):
            raise CostFailed(
                "Your code computes outside its kernels; there it may only allocate, reshape "
                "and launch."
            )

    def _kernel_rule(self, readings: dict[str, int], own: dict[str, int]) -> None:
        """Kernels that only copy have had their work done elsewhere, out of sight."""
        work, wanted = readings.get("kernel_work", 0), own.get("kernel_work", 0)
        if work * KERNEL_WORK < wanted:
            raise CostFailed(
                f"Your kernels do {work:,} operations at the largest size, where the solution's "
                f"do {wanted:,}: the work belongs into kernels."
            )

    # --- readings ---

    def _samples(self) -> list[dict[str, int]]:
        """The readings at every point."""
        points = self.job.points
        if self.reference.drive is not None:
            return [self._script(point) for point in points]
        counts = self.job.runtime == "numpy" and "flops" in self.job.meters
        ways = ("dispatch", "count") if counts else ("dispatch",)
        found = self._measured_all([(point, way) for point in points for way in ways])
        samples = [
            {k: v for reading in found[place : place + len(ways)] for k, v in reading.items()}
            for place in range(0, len(found), len(ways))
        ]
        if self.job.runtime == "torch" and "peak_bytes" in self.job.meters:
            self._temporaries(samples)
        return samples

    def _script(self, point: wire.Point) -> dict[str, int]:
        """The readings of a script's phases at a point; its outputs there must be right."""
        laid = self._lay(point)
        args = laid.views(self.backend)
        assert self.reference.cost is not None and self.reference.solve_cost is not None
        api = Remote(self.channel, laid, self.backend, self.job.entries, metered=True)
        script = Script(api, self.reference.cost, args)
        # The learner is at work on the other core meanwhile.
        expected = expect_roughly(self.reference.solve_cost, args, self.backend)
        if self.reference.allowance_cost is not None:
            expected = expected.allowing(self.reference.allowance_cost(*args))
        message, _, _ = self.examiner.script(script, expected, point.params)
        if message:
            sizes = ", ".join(f"{name}={value}" for name, value in point.params.items())
            raise CostFailed(f"While its cost was measured ({sizes}): {message}")
        return flat(api.readings)

    def _readings(self) -> tuple[wire.Reading, ...]:
        points = self.job.points
        samples = self._samples()
        sizes = [_sizes(point.params, self.job.symbols) for point in points]
        grid = Grid.over(self.job.symbols, sizes, self.job.tiles)
        largest = max(range(len(points)), key=lambda p: math.prod(sizes[p].values()))
        if not self.kept.own:
            self.kept.own = self._solution(points[largest])
        own = dict(self.kept.own)
        if self.job.runtime == "triton":
            self._kernel_rule(samples[largest], own)
        held_out = [point.held_out for point in points]
        names: list[str] = []
        for name in self.job.meters:
            names.append(name)
            label, _, meter = name.rpartition(".")
            if meter != "flops":
                continue
            other = f"{label}.elementwise" if label else "elementwise"
            if any(sample.get(name) for sample in samples):
                names.append(other)
                continue
            # No matrix product anywhere: the element-wise work is the work.
            for readings in (*samples, own):
                if other in readings:
                    readings[name] = readings.get(name, 0) + readings.pop(other)
        return tuple(self._reading(name, grid, samples, held_out, largest, own) for name in names)

    def _reading(
        self,
        name: str,
        grid: Grid,
        samples: Sequence[dict[str, int]],
        held_out: Sequence[bool],
        largest: int,
        own: dict[str, int],
    ) -> wire.Reading:
        if any(name not in sample for sample in samples):
            return wire.Reading(
                meter=name,
                terms=None,
                slopes={},
                excess={},
                values=(),
                largest=0,
                solution_largest=own.get(name),
                note="not counted: your code leaves numpy's arrays (np.asarray, a list)",
            )
        values = [sample[name] for sample in samples]
        bound = self.job.bounds.get(name.replace("elementwise", "flops"), ())
        fitted = fit(grid, values, held_out)
        allowed = not bound or self._within(name, bound, samples, largest, own)
        terms = None
        if fitted is not None:
            terms = tuple(
                wire.Term(
                    top=coefficient.numerator,
                    bottom=coefficient.denominator,
                    powers={s: p for s, p in zip(grid.symbols, powers, strict=True) if p},
                )
                for powers, coefficient in fitted.terms
            )
        return wire.Reading(
            meter=name,
            terms=terms,
            slopes={} if fitted is not None else slopes(grid, values),
            excess={} if fitted is not None or allowed else slopes(grid, values, bound),
            values=tuple(values),
            largest=values[largest],
            solution_largest=own.get(name),
        )

    def _within(
        self,
        name: str,
        bound: Sequence[float],
        samples: Sequence[dict[str, int]],
        largest: int,
        own: dict[str, int],
    ) -> bool:
        """Whether a reading is nowhere more than the bound with the solution's constant.

        One with corners (rows that see nothing when n > m) has no formula and no single exponent,
        and may yet be within it. The bound is one of all work: element-wise work is looked at
        with the products, and may be the larger part of it where the sizes are small.
        """
        parts, factor = [name], 1.0
        if name.endswith("elementwise"):
            products = name.replace("elementwise", "flops")
            parts, factor = [name, products], self.job.budgets.get(products, 1.0)
        constant = factor * sum(own.get(part) or 0 for part in parts) / bound[largest]
        return all(
            sum(sample[part] for part in parts) <= constant * limit
            for sample, limit in zip(samples, bound, strict=True)
        )

    def _temporaries(self, samples: list[dict[str, int]]) -> None:
        """Replace the peaks by the profiler's where operations hide temporaries inside."""
        points = self.job.points
        few = sorted({0, len(points) // 2, len(points) - 1})
        seen = self._profiled(few)
        # A GPU's allocator rounds up; only what rounding cannot explain was hidden.
        slack = ROUNDED if self.job.device == "cuda" else 0
        if all(peak - samples[place]["peak_bytes"] <= slack for place, peak in seen.items()):
            return
        seen |= self._profiled([place for place in range(len(points)) if place not in seen])
        for place, peak in seen.items():
            samples[place]["peak_bytes"] = max(peak, samples[place]["peak_bytes"])

    def _profiled(self, places: Sequence[int]) -> dict[int, int]:
        """By place, the peak that the profiler saw at that point."""
        if not places:
            return {}
        found = self._measured_all([(self.job.points[place], "profile") for place in places])
        return {p: reading["peak_bytes"] for p, reading in zip(places, found, strict=True)}

    def _solution(self, point: wire.Point) -> dict[str, int]:
        """The solution's own readings at a point, measured here with the same meters."""
        entries = load_solution(self.job.solution, self.job.entries)
        laid = self._lay(point)
        runtime = self.job.runtime
        instruments = Instruments(runtime)
        if self.reference.cost is not None:
            session = instruments.session()

            def measured(function: Callable[..., Any], args: Sequence[Any]) -> Any:
                found = measure(function, args, "session", instruments, self.backend, session)
                return found[:2]

            return metered_locally(self.reference.cost, entries, measured, laid.views(self.backend))
        entry = entries[self.job.entries[0]]
        ways = ["dispatch"]
        if runtime == "numpy" and "flops" in self.job.meters:
            ways.append("count")
        if runtime == "torch" and "peak_bytes" in self.job.meters:
            ways.append("profile")
        readings: dict[str, int] = {}
        for way in ways:
            args = laid.views(self.backend)
            _, found, _ = measure(entry, args, way, instruments, self.backend)
            for name, value in found.items():
                readings[name] = max(value, readings.get(name, 0))
        return readings

    def _compare(self, pair: wire.Comparison) -> wire.ComparisonResult:
        at = self._measured(pair.at, "dispatch")
        against = self._measured(pair.against, "dispatch")
        return wire.ComparisonResult(
            meter=pair.meter, at=at[pair.meter], against=against[pair.meter]
        )

    # --- witnesses ---

    def _witness(self, point: wire.Point) -> wire.WitnessResult:
        """A large call under the meters, then one with other inputs watched from outside.

        The first call also warms the path: library pages that it loads count in neither.
        """
        if not self.watch.available:
            return wire.WitnessResult(params=point.params, available=False)
        number = self.channel.order(self._lay(point, "dispatch"), "dispatch")
        # The learner is at work on the other core meanwhile.
        laid = self._lay(point, "watched")
        args = laid.views(self.backend)
        expected = expect_roughly(self.reference.solve, args, self.backend)
        reply = self.channel.answer(number)
        if reply.refused or reply.raised is not None:
            what = reply.raised.kind if reply.raised is not None else reply.refused
            raise CostFailed(f"At {point.params} your code raised {what}.")
        seen = self.watch.call(laid, lambda reply: self._right(reply, expected, point))
        if not self.kept.worked:
            self.kept.worked = self._work_of_solution(args)
        return wire.WitnessResult(
            params=point.params,
            resident=seen.growth,
            sending=seen.sending,
            kept=seen.kept,
            written=seen.written,
            metered=reply.readings.get("peak_bytes", 0),
            outputs=len(reply.tensors),
            worked=seen.worked,
            solution_worked=self.kept.worked,
        )

    def _work_of_solution(self, args: Sequence[Any]) -> int:
        """Nanoseconds of processor time that the solution takes, at least one."""
        entry = load_solution(self.job.solution, self.job.entries)[self.job.entries[0]]
        before = time.process_time_ns()
        entry(*args)
        return max(time.process_time_ns() - before, 1)


def _sizes(params: wire.Params, symbols: Sequence[str]) -> dict[str, int]:
    return {name: int(params[name]) for name in symbols}  # type: ignore[arg-type]
