"""The cost stage: meters over a grid of sizes, a fitted formula each, witnesses from outside.

Here it is measured; whether a cost is allowed is for `cost_check`. Outputs at every metered point
must be right as well: a submission that notices the meters and does less work is found out by its
outputs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from quizprep.exercise import Mistake
from quizprep.formula import parse
from quizprep.grading import wire
from quizprep.grading.verdict import Params, Reading, Stage, Witness
from quizprep.meter import Meter, MeterKind, by_meter
from quizprep.worker import arena, protocol
from quizprep.worker.backends import Array, Backend
from quizprep.worker.judge.channel import Calls, Channel, LearnerGone
from quizprep.worker.judge.comparison import Expected
from quizprep.worker.judge.cost_check import CostCheck, compared
from quizprep.worker.judge.cost_fit import Fitting, Grid, Measured
from quizprep.worker.judge.examiner import Examiner, submitted
from quizprep.worker.judge.exercise_files import Reference, load_mistakes, load_solution
from quizprep.worker.judge.preparation import Ground, Grounds
from quizprep.worker.judge.reference_cache import ReferenceCache
from quizprep.worker.judge.script import Remote, Script, flat, metered_locally
from quizprep.worker.judge.witness import Watch, Watched
from quizprep.worker.learner.instruments import Instruments

Readings = dict[str, int]
"""What the learner's process says that one call cost, by the text of the meter."""

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
        cache: ReferenceCache,
    ) -> None:
        self.job = job
        self.contract = job.spec.contract
        self.runtime = job.spec.runtime
        self.limits = self.contract.limits()
        self.watch = watch
        self.backend = backend
        self.channel = channel
        self.reference = reference
        self.grounds = grounds
        self.examiner = examiner
        self.cache = cache

    def stages(self) -> Iterator[Stage]:
        """The cost, and the mistakes of cost where it is too high."""
        self.channel.meanwhile = self.grounds.step
        try:
            samples = self._samples()
            comparisons = self._comparisons()
            point = self.job.witness
            number = self._begin_witness(point) if point else 0
            # The learner is at work on that call while formulas are fitted.
            measured = self._measured(samples)
            seen = self._watched(point, number) if point and number else None
        except LearnerGone as gone:
            message = f"While its cost was measured, your code {gone}."
            yield Stage(name="cost", status="fail", message=message)
            return
        except CostFailed as failure:
            yield Stage(name="cost", status="fail", message=str(failure))
            return
        check = CostCheck(self.contract, measured, self.job.measured)
        readings = (*check.readings(), *comparisons)
        witness = check.witness(seen) if point else None
        yield from self._judged(check, readings, witness)

    def _judged(
        self, check: CostCheck, readings: tuple[Reading, ...], witness: Witness | None
    ) -> Iterator[Stage]:
        failed = any(reading.status == "fail" for reading in readings)
        if not failed and (witness is None or witness.status != "fail"):
            yield Stage(name="cost", status="pass", readings=readings, witness=witness)
            return
        yield Stage(name="cost", status="fail", readings=readings, witness=witness)
        known: Mapping[str, Mistake] = load_mistakes(self.job.folder, self.reference).mistakes
        if named := check.named_mistakes(known):
            yield Stage(name="diagnosis", status="pass", mistakes=named)

    # --- points ---

    def _measured_all(self, calls: Sequence[tuple[wire.Point, str]]) -> list[Readings]:
        """The readings of several calls, in order; outputs must be right. Raises CostFailed."""
        readings: list[Readings] = []
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
        self, point: wire.Point, meter: str, ground: Ground, reply: protocol.Reply
    ) -> Readings:
        self._right(reply, ground.expected, point)
        readings = {name: max(value, 0) for name, value in reply.readings.items()}
        missing = sorted(self._needed(meter) - readings.keys())
        if missing:
            raise CostFailed(f"Your code's process gave no reading of {', '.join(missing)}.")
        if self.runtime == "triton" and meter == "dispatch":
            self._host_rules(readings, ground.laid)
        return readings

    def _right(self, reply: protocol.Reply, expected: Expected, point: wire.Point) -> None:
        _refuse(self.examiner.reply(reply, expected, point.params).message, point)

    def _needed(self, meter: str) -> set[str]:
        """The readings that a reply cannot lack; a count of numpy's work may be impossible."""
        if meter == "profile":
            return {"peak_bytes"}
        if meter == "dispatch" and self.runtime != "numpy":
            return {*map(str, self.limits), *(pair.meter for pair in self.contract.compare)}
        return {"peak_bytes", "held_bytes"} if meter == "dispatch" else set()

    def _host_rules(self, readings: Readings, laid: arena.Laid) -> None:
        if readings.get("launches", 0) == 0:
            raise CostFailed("Your code launches no Triton kernel; this exercise is to write one.")
        size = sum(math.prod(a.shape) for a in laid.args if isinstance(a, protocol.TensorAt))
        if readings.get("host_work", 0) > HOST_WORK * max(size, 1):
            raise CostFailed(
                "Your code computes outside its kernels; there it may only allocate, reshape "
                "and launch."
            )

    def _kernel_rule(self, readings: Readings, own: Readings) -> None:
        """Kernels that only copy have had their work done elsewhere, out of sight."""
        work, wanted = readings.get("kernel_work", 0), own.get("kernel_work", 0)
        if work * KERNEL_WORK < wanted:
            raise CostFailed(
                f"Your kernels do {work:,} operations at the largest size, where the solution's "
                f"do {wanted:,}: the work belongs into kernels."
            )

    # --- readings ---

    def _samples(self) -> list[Readings]:
        """The readings at every point."""
        points = self.job.points
        if self.reference.drive is not None:
            return self._scripts()
        ways = ("dispatch", "count") if self._counts_separately() else ("dispatch",)
        found = self._measured_all([(point, way) for point in points for way in ways])
        samples = [
            {k: v for reading in found[place : place + len(ways)] for k, v in reading.items()}
            for place in range(0, len(found), len(ways))
        ]
        if self._hides_temporaries():
            self._temporaries(samples)
        return samples

    def _counts_separately(self) -> bool:
        """Whether flops take a call of their own: numpy counts memory and work by other means."""
        return self.runtime == "numpy" and Meter(MeterKind.FLOPS) in self.limits

    def _hides_temporaries(self) -> bool:
        """Whether operations may take memory that only the profiler sees."""
        return self.runtime == "torch" and Meter(MeterKind.PEAK_BYTES) in self.limits

    def _driven(self, point: wire.Point) -> tuple[Script, Remote, Ground]:
        """The script of a point, driven under the meters, with its api."""
        ground = self.grounds.of(point, "")
        assert self.reference.cost is not None
        api = Remote(self.channel, ground.laid, self.backend, self.job.spec.entries, metered=True)
        return Script(api, self.reference.cost, ground.args), api, ground

    def _scripts(self) -> list[Readings]:
        """The readings of the script's phases at every point; its outputs there must be right.

        The next script is driven before the outputs of one are looked at.
        """
        readings: list[Readings] = []
        points = self.job.points
        driven = self._driven(points[0])
        for place, point in enumerate(points):
            script, api, ground = driven
            script.finish()
            if place + 1 < len(points):
                driven = self._driven(points[place + 1])
            found = self.examiner.script(script, ground.expected, point.params)
            _refuse(found.message, point)
            readings.append(flat(api.readings))
        return readings

    def _measured(self, readings: Sequence[Readings]) -> list[Measured]:
        """What each meter read, with its formula where there is one."""
        points = self.job.points
        sizes = [{s: int(p.params[s] or 0) for s in self.contract.sizes} for p in points]
        grid = Grid.over(tuple(self.contract.sizes), sizes, self.contract.tiles)
        largest = max(range(len(points)), key=lambda p: math.prod(sizes[p].values()))
        if not self.cache.own:
            self.cache.own = self._solution(points[largest])
        if self.runtime == "triton":
            self._kernel_rule(readings[largest], self.cache.own)
        fitting = Fitting(
            grid=grid,
            held_out=[point.held_out for point in points],
            largest=largest,
            samples=[by_meter(reading) for reading in readings],
            own=by_meter(self.cache.own),
        )
        found: list[Measured] = []
        for meter, limit in self.limits.items():
            growth = parse(limit.growth or limit.exact or "1").expand()
            # A contract that asks for 0 is a constant here: measured growth is a quotient.
            bound = [float(growth.evaluate(each)) or 1.0 for each in sizes]
            if meter.kind is not MeterKind.FLOPS:
                found.append(fitting.measured(meter, bound))
                continue
            elementwise = meter.of(MeterKind.ELEMENTWISE)
            if not any(sample.get(meter) for sample in fitting.samples):
                # No matrix product anywhere: the element-wise work is the work.
                for sample in (*fitting.samples, fitting.own):
                    if elementwise in sample:
                        sample[meter] = sample.get(meter, 0) + sample.pop(elementwise)
                found.append(fitting.measured(meter, bound))
                continue
            found.append(fitting.measured(meter, bound))
            found.append(fitting.measured(elementwise, bound, limit.budget or 1.0))
        return found

    def _temporaries(self, samples: list[Readings]) -> None:
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

    def _solution(self, point: wire.Point) -> Readings:
        """The solution's own readings at a point, measured here with the same meters."""
        entries = load_solution(self.job.solution, self.job.spec.entries)
        laid = self.grounds.of(point, "solution").laid
        instruments = Instruments(self.runtime)
        if self.reference.cost is not None:
            session = instruments.session()

            def measured(
                function: Callable[..., Array], args: Sequence[Array]
            ) -> tuple[Array, Readings]:
                return instruments.measure(function, args, "session", self.backend, session)

            return metered_locally(self.reference.cost, entries, measured, laid.views(self.backend))
        entry = entries[self.job.spec.entry]
        ways = ["dispatch"]
        if self._counts_separately():
            ways.append("count")
        if self._hides_temporaries():
            ways.append("profile")
        readings: Readings = {}
        for way in ways:
            args = laid.views(self.backend)
            _, found = instruments.measure(entry, args, way, self.backend)
            for name, value in found.items():
                readings[name] = max(value, readings.get(name, 0))
        return readings

    def _comparisons(self) -> tuple[Reading, ...]:
        """The contract's comparisons of two points."""
        pairs = self.job.compared
        if not pairs:
            return ()
        points = [point for pair in pairs for point in (pair.at, pair.against)]
        found = self._measured_all([(point, "dispatch") for point in points])
        return tuple(
            compared(rule, at[rule.meter], against[rule.meter])
            for rule, at, against in zip(
                self.contract.compare, found[::2], found[1::2], strict=True
            )
        )

    # --- witnesses ---

    def _begin_witness(self, point: wire.Point) -> int:
        """Order a large call under the meters; its number, or 0 where nothing can be watched."""
        if not self.watch.available:
            return 0
        return self.channel.order(self.grounds.of(point, "dispatch").laid, "dispatch")

    def _watched(self, point: wire.Point, number: int) -> Watched:
        """The large call of that number, then one with other inputs watched from outside.

        The first call also warms the path: library pages that it loads count in neither.
        """
        ground = self.grounds.of(point, "watched")
        expected = ground.expected
        reply = self.channel.answer(number)
        if reply.refused or reply.raised is not None:
            what = reply.raised.kind if reply.raised is not None else reply.refused
            raise CostFailed(f"At {_at(point.params)} your code raised {submitted(what)}.")
        seen = self.watch.call(
            point.params, ground.laid, lambda reply: self._right(reply, expected, point)
        )
        if not self.cache.worked:
            self.cache.worked = self._work_of_solution(ground.args)
        return replace(
            seen,
            metered=reply.readings.get("peak_bytes", 0),
            outputs=len(reply.tensors),
            solution_worked=self.cache.worked,
        )

    def _work_of_solution(self, args: Sequence[Array]) -> int:
        """Nanoseconds of processor time that the solution takes, at least one."""
        entry = load_solution(self.job.solution, self.job.spec.entries)[self.job.spec.entry]
        before = time.process_time_ns()
        entry(*args)
        return max(time.process_time_ns() - before, 1)


def _refuse(message: str, point: wire.Point) -> None:
    """Raise CostFailed where something is wrong with the outputs at a point."""
    if message:
        raise CostFailed(f"While its cost was measured ({_at(point.params)}): {message}")


def _at(params: Params) -> str:
    return ", ".join(f"{name}={value}" for name, value in params.items())
