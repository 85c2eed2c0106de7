"""The cost stage: meters over a grid of sizes, a fitted formula each, witnesses from outside.

Whether a cost is allowed is decided by the parent, which compares formulas; here it is only
measured. Outputs at every metered point must be right as well: a submission that notices the
meters and does less work is found out by its outputs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from quizprep.grading import wire
from quizprep.worker import arena
from quizprep.worker.backends import Backend
from quizprep.worker.judge.channel import Calls, Channel, LearnerGone
from quizprep.worker.judge.comparison import Expected
from quizprep.worker.judge.cost_fit import Grid, fit, slopes
from quizprep.worker.judge.exercise_files import Reference, load_mistakes, load_solution
from quizprep.worker.judge.preparation import Ground, Grounds
from quizprep.worker.judge.reference_cache import Kept
from quizprep.worker.judge.script import Remote, Script, flat, metered_locally
from quizprep.worker.judge.witness import Watch
from quizprep.worker.learner.serving import Instruments, measure


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
        grounds: Grounds,
        examiner: Examiner,
        kept: Kept,
    ) -> None:
        self.job = job
        self.watch = watch
        self.backend = backend
        self.channel = channel
        self.reference = reference
        self.grounds = grounds
        self.examiner = examiner
        self.kept = kept

    def run(self) -> wire.CostResult:
        """All readings, or the reason why there are none."""
        self.channel.meanwhile = self.grounds.step
        try:
            samples = self._samples()
            compared = self._compared()
            point = self.job.witness
            number = self._begin_witness(point) if point else 0
            # The learner is at work on that call while formulas are fitted.
            readings = self._readings(samples)
            seen = self._witness(point, number) if point else None
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

    def _measured_all(self, calls: Sequence[tuple[wire.Point, str]]) -> list[dict[str, int]]:
        """The readings of several calls, in order; outputs must be right. Raises CostFailed."""
        readings: list[dict[str, int]] = []
        grounds: list[Ground] = []

        def inputs() -> Iterator[tuple[arena.Laid, str]]:
            for place, (point, meter) in enumerate(calls):
                again = place > 0 and calls[place - 1][0] is point
                grounds.append(grounds[-1] if again else self.grounds.of(point, meter))
                yield grounds[-1].laid, meter

        made = Calls(self.channel, inputs())
        for place, (point, meter) in enumerate(calls):
            if place % 8 == 0:
                self.channel.tell(wire.Progress(stage="cost", done=place, total=len(calls)))
            reply, changed = made.next()
            if changed:
                raise CostFailed(
                    f"While its cost was measured, your code changed its input {changed}; "
                    "inputs belong to the caller."
                )
            readings.append(self._checked(point, meter, grounds[place], reply))
        return readings

    def _checked(
        self, point: wire.Point, meter: str, ground: Ground, reply: wire.Reply
    ) -> dict[str, int]:
        self._right(reply, ground.expected, point)
        readings = {name: max(value, 0) for name, value in reply.readings.items()}
        missing = sorted(self._needed(meter) - readings.keys())
        if missing:
            raise CostFailed(f"Your code's process gave no reading of {', '.join(missing)}.")
        if self.job.runtime == "triton" and meter == "dispatch":
            self._host_rules(readings, ground.laid)
        return readings

    def _right(self, reply: wire.Reply, expected: Expected, point: wire.Point) -> None:
        _refuse(self.examiner.check(reply, expected, point.params)[0], point)

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
            return self._scripts()
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

    def _driven(self, point: wire.Point) -> tuple[Script, Remote, Ground]:
        """The script of a point, driven under the meters, with its api."""
        ground = self.grounds.of(point, "")
        assert self.reference.cost is not None
        api = Remote(self.channel, ground.laid, self.backend, self.job.entries, metered=True)
        return Script(api, self.reference.cost, ground.args), api, ground

    def _scripts(self) -> list[dict[str, int]]:
        """The readings of the script's phases at every point; its outputs there must be right.

        The next script is driven before the outputs of one are looked at.
        """
        readings: list[dict[str, int]] = []
        points = self.job.points
        driven = self._driven(points[0])
        for place, point in enumerate(points):
            script, api, ground = driven
            script.finish()
            if place + 1 < len(points):
                driven = self._driven(points[place + 1])
            _refuse(self.examiner.script(script, ground.expected, point.params)[0], point)
            readings.append(flat(api.readings))
        return readings

    def _readings(self, samples: list[dict[str, int]]) -> tuple[wire.Reading, ...]:
        points = self.job.points
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
        laid = self.grounds.of(point, "solution").laid
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

    def _compared(self) -> tuple[wire.ComparisonResult, ...]:
        pairs = self.job.comparisons
        if not pairs:
            return ()
        points = [point for pair in pairs for point in (pair.at, pair.against)]
        found = self._measured_all([(point, "dispatch") for point in points])
        return tuple(
            wire.ComparisonResult(meter=p.meter, at=at[p.meter], against=against[p.meter])
            for p, at, against in zip(pairs, found[::2], found[1::2], strict=True)
        )

    # --- witnesses ---

    def _begin_witness(self, point: wire.Point) -> int:
        """Order a large call under the meters; its number, or 0 where nothing can be watched."""
        if not self.watch.available:
            return 0
        return self.channel.order(self.grounds.of(point, "dispatch").laid, "dispatch")

    def _witness(self, point: wire.Point, number: int) -> wire.WitnessResult:
        """The large call of that number, then one with other inputs watched from outside.

        The first call also warms the path: library pages that it loads count in neither.
        """
        if not number:
            return wire.WitnessResult(params=point.params, available=False)
        ground = self.grounds.of(point, "watched")
        expected = ground.expected
        reply = self.channel.answer(number)
        if reply.refused or reply.raised is not None:
            what = reply.raised.kind if reply.raised is not None else reply.refused
            raise CostFailed(f"At {point.params} your code raised {what}.")
        seen = self.watch.call(ground.laid, lambda reply: self._right(reply, expected, point))
        if not self.kept.worked:
            self.kept.worked = self._work_of_solution(ground.args)
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


def _refuse(message: str, point: wire.Point) -> None:
    """Raise CostFailed where something is wrong with the outputs at a point."""
    if message:
        sizes = ", ".join(f"{name}={value}" for name, value in point.params.items())
        raise CostFailed(f"While its cost was measured ({sizes}): {message}")


def _sizes(params: wire.Params, symbols: Sequence[str]) -> dict[str, int]:
    return {name: int(params[name]) for name in symbols}  # type: ignore[arg-type]
