"""The cost stage: meters over a grid of sizes, a fitted formula for each, witnesses from outside.

This module measures; `cost_check` decides whether a cost is allowed. Outputs at every metered point
must be right too: a submission that detects the meters and does less work then fails by its
outputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from quizprep.exercise import Mistake
from quizprep.formula import parse
from quizprep.grading import wire
from quizprep.grading.verdict import Params, Reading, Stage, Witness
from quizprep.meter import Meter, MeterKind, by_meter
from quizprep.worker import protocol
from quizprep.worker.arena import PlacedInputs
from quizprep.worker.backends import Backend
from quizprep.worker.judge import kernel_work
from quizprep.worker.judge.channel import Channel, LearnerGone, PipelinedCalls
from quizprep.worker.judge.comparison import Expected
from quizprep.worker.judge.cost_check import CostCheck, compared
from quizprep.worker.judge.cost_fit import Fitting, Grid, Measured
from quizprep.worker.judge.examiner import Examiner, disturbance, sanitised
from quizprep.worker.judge.exercise_files import Reference, load_mistakes
from quizprep.worker.judge.growth_proof import Enlarged, all_work, enlargements, sizes_text
from quizprep.worker.judge.kernel_work import CostFailed
from quizprep.worker.judge.line_costs import LineCosts, shown_lines
from quizprep.worker.judge.phase_readings import PhaseReadings, PointLines, Readings
from quizprep.worker.judge.preparation import MeteredInputs, MeteredPoints
from quizprep.worker.judge.reference_cache import ReferenceCache
from quizprep.worker.judge.script import RemoteApi, Script
from quizprep.worker.judge.solution_cost import solution_readings, solution_time
from quizprep.worker.judge.witness import ProcessWatch, WatchedCall

ALLOCATOR_ROUNDING = 64 << 10
"""Bytes by which a GPU's allocator may exceed the meters: it rounds each block up to 512."""


@dataclass
class CostStage:
    """Measures the cost of one submission."""

    job: wire.Job
    watch: ProcessWatch
    backend: Backend
    channel: Channel
    reference: Reference
    points: MeteredPoints
    examiner: Examiner
    cache: ReferenceCache

    def __post_init__(self) -> None:
        self.contract = self.job.spec.contract
        self.runtime = self.job.spec.runtime
        self.limits = self.contract.limits()
        self._replies: dict[tuple[int, str], protocol.Reply] = {}
        """By the id of a point, which the job holds, and the meter, the replies that tell of
        lines."""
        self._fitting: Fitting | None = None
        self.lines: dict[str, LineCosts] = {}
        """Of the call, or by phase of a script."""

    def stages(self) -> Iterator[Stage]:
        """The cost, and, where it is too high, the mistakes that explain it."""
        self.channel.idle_work = self.points.step
        try:
            samples = self._samples()
            comparisons = self._comparisons()
            point = self.job.witness
            number = self._begin_witness(point) if point else 0
            # The learner executes that call while formulas are fitted.
            measured = self._measured(samples)
        except LearnerGone as gone:
            message = f"While its cost was measured, your code {gone}."
            yield Stage(name="cost", status="fail", message=message)
            return
        except CostFailed as failure:
            yield Stage(name="cost", status="fail", message=str(failure))
            return
        seen, trouble, check = None, "", None
        try:
            seen = self._watched(point, number) if point and number else None
            if self.job.by_line or any(each.formula is None for each in measured):
                measured = self._by_line(measured)
            measured = [self._enlarged(each) for each in measured]
            check = self._check(measured)
            if any(reading.status == "fail" for reading in check.readings()):
                self._by_line(measured)
        except LearnerGone as gone:
            trouble = f"In a large call your code {gone}."
        except CostFailed as failure:
            trouble = str(failure)
        check = check or self._check(measured)
        shown = shown_lines(self.lines, self.job.source.decode("utf-8", "replace"))
        readings = (*shown.named(check.readings()), *comparisons)
        witness = check.witness(seen) if point and not trouble else None
        for stage in self._judged(check, readings, witness, trouble):
            if stage.name == "cost":
                stage = msgspec.structs.replace(stage, lines=shown.lines, alive=shown.alive)
            yield stage

    def _check(self, measured: Sequence[Measured]) -> CostCheck:
        bounded = sorted(map(sanitised, self.channel.bounded))
        return CostCheck(self.contract, measured, self.job.measured, bounded)

    def _judged(
        self,
        check: CostCheck,
        readings: tuple[Reading, ...],
        witness: Witness | None,
        trouble: str,
    ) -> Iterator[Stage]:
        """``trouble`` came up after the readings, and hides none of them."""
        failed = trouble or any(reading.status == "fail" for reading in readings)
        if not failed and (witness is None or witness.status != "fail"):
            yield Stage(name="cost", status="pass", readings=readings, witness=witness)
            return
        yield Stage(name="cost", status="fail", message=trouble, readings=readings, witness=witness)
        known: Mapping[str, Mistake] = load_mistakes(self.job.folder, self.reference).mistakes
        if named := check.named_mistakes(known):
            yield Stage(name="diagnosis", status="pass", mistakes=named)

    # --- points ---

    def _measure_calls(self, calls: Sequence[tuple[wire.Point, str]]) -> list[Readings]:
        """The readings of several calls, in order; outputs must be right. Raises CostFailed."""
        readings: list[Readings] = []
        used: list[MeteredInputs] = []

        def inputs() -> Iterator[tuple[PlacedInputs, str]]:
            for place, (point, meter) in enumerate(calls):
                repeated = place > 0 and calls[place - 1][0] is point
                used.append(used[-1] if repeated else self.points.inputs(point, meter))
                yield used[-1].placed, meter

        made = PipelinedCalls(self.channel, inputs())
        for place, (point, meter) in enumerate(calls):
            if place % 8 == 0:
                self.channel.send_event(wire.Progress(stage="cost", done=place, total=len(calls)))
            reply, modified = made.next()
            _require_empty(disturbance(modified, reply.disturbed), point)
            readings.append(self._checked(point, meter, used[place], reply))
        return readings

    def _read(self, point: wire.Point, meter: str) -> Readings:
        """The readings of one call, whose inputs may be large; raises CostFailed."""
        inputs = self.points.inputs(point, meter)
        reply = self.channel.receive(self.channel.start_call(inputs.placed, meter))
        return self._checked(point, meter, inputs, reply)

    def _checked(
        self, point: wire.Point, meter: str, inputs: MeteredInputs, reply: protocol.Reply
    ) -> Readings:
        self._check_outputs(reply, inputs.expected, point)
        if reply.work or reply.moments:
            self._replies[id(point), meter] = reply
        readings = {name: max(value, 0) for name, value in reply.readings.items()}
        missing = sorted(self._required_readings(meter) - readings.keys())
        if missing:
            raise CostFailed(f"Your code's process gave no reading of {', '.join(missing)}.")
        if self.runtime == "triton" and meter == "dispatch":
            kernel_work.check_host_work(readings, inputs.placed)
            readings[kernel_work.DATA] = kernel_work.data_bytes(self.backend, inputs.placed, reply)
        return readings

    def _check_outputs(self, reply: protocol.Reply, expected: Expected, point: wire.Point) -> None:
        _require_empty(self.examiner.reply(reply, expected, point.params).message, point)

    def _required_readings(self, meter: str) -> set[str]:
        """The readings that a reply must contain; numpy's flops may be impossible to count."""
        if meter in ("profile", "allocations"):
            return {"peak_bytes"}
        if meter in ("dispatch", "lines") and self.runtime != "numpy":
            return {*map(str, self.limits), *(pair.meter for pair in self.contract.compare)}
        return {"peak_bytes", "held_bytes"} if meter == "dispatch" else set()

    # --- readings ---

    def _samples(self) -> list[Readings]:
        """The readings at every point."""
        points = self.job.points
        if self.reference.drive is not None:
            return [reading.by_meter() for reading in self._script_readings(points)]
        meters = self._call_meters()
        found = self._measure_calls([(point, meter) for point in points for meter in meters])
        samples = [
            {k: v for reading in found[place : place + len(meters)] for k, v in reading.items()}
            for place in range(0, len(found), len(meters))
        ]
        if self._hides_temporaries():
            self._temporaries(samples)
        return samples

    def _call_meters(self) -> tuple[str, ...]:
        """The meters of `protocol.Call` at each point; numpy's flops need a call of their own."""
        separate_flops = self.runtime == "numpy" and Meter(MeterKind.FLOPS) in self.limits
        return ("dispatch", "count") if separate_flops else ("dispatch",)

    def _hides_temporaries(self) -> bool:
        """Whether operations may allocate temporaries that only the profiler sees."""
        return self.runtime == "torch" and Meter(MeterKind.PEAK_BYTES) in self.limits

    def _driven(self, point: wire.Point, by_line: bool) -> tuple[Script, RemoteApi, MeteredInputs]:
        """The script of a point, driven under the meters, with its api."""
        inputs = self.points.inputs(point, "")
        assert self.reference.cost is not None
        names = self.job.spec.entries
        meter: Literal["session", "session lines"] = "session lines" if by_line else "session"
        api = RemoteApi(self.channel, inputs.placed, self.backend, names, meter)
        return Script(api, self.reference.cost, inputs.args), api, inputs

    def _script_readings(
        self, points: Sequence[wire.Point], by_line: bool = False
    ) -> list[PhaseReadings]:
        """The readings of the script's phases at these points; its outputs there must be right.

        The next script is driven before the outputs of the current one are examined.
        """
        readings: list[PhaseReadings] = []
        driven = self._driven(points[0], by_line)
        for place, point in enumerate(points):
            script, api, inputs = driven
            script.finish()
            modified = self.channel.modified_input(inputs.placed)
            if place + 1 < len(points):
                driven = self._driven(points[place + 1], by_line)
            found = self.examiner.script(script, inputs.expected, point.params)
            _require_empty(found.message or disturbance(modified, api.disturbed), point)
            readings.append(api.readings)
        return readings

    def _measured(self, readings: Sequence[Readings]) -> list[Measured]:
        """The readings of each meter, with the formula where there is one."""
        points = self.job.points
        sizes = [{s: int(p.params[s] or 0) for s in self.contract.sizes} for p in points]
        grid = Grid.over(tuple(self.contract.sizes), sizes, self.contract.tiles)
        largest = max(range(len(points)), key=lambda p: math.prod(sizes[p].values()))
        if not self.cache.solution_readings:
            placed = self.points.inputs(points[largest], "solution").placed
            profile = ["profile"] if self._hides_temporaries() else []
            self.cache.solution_readings = solution_readings(
                self.job, self.reference, self.backend, placed, [*self._call_meters(), *profile]
            )
        if self.runtime == "triton":
            kernel_work.check_kernel_work(readings[largest], self.cache.solution_readings)
            kernel_work.check_traffic(readings, sizes, self.job.measured.get("moved_bytes", ""))
        fitting = Fitting(
            grid=grid,
            held_out=[point.held_out for point in points],
            largest=largest,
            samples=[by_meter(reading) for reading in readings],
            solution=by_meter(self.cache.solution_readings),
        )
        self._fitting = fitting
        found: list[Measured] = []
        for meter, limit in self.limits.items():
            growth = parse(limit.growth or limit.exact or "1").expand()
            # The bound 0 is replaced by 1: the measured growth is a quotient.
            bound = [float(growth.evaluate(each)) or 1.0 for each in sizes]
            if meter.kind is not MeterKind.FLOPS:
                found.append(fitting.measured(meter, bound))
                continue
            elementwise = meter.of(MeterKind.ELEMENTWISE)
            if not any(sample.get(meter) for sample in fitting.samples):
                # No matrix product anywhere: the element-wise work is all work.
                for sample in (*fitting.samples, fitting.solution):
                    if elementwise in sample:
                        sample[meter] = sample.get(meter, 0) + sample.pop(elementwise)
                found.append(fitting.measured(meter, bound))
                continue
            found.append(fitting.measured(meter, bound))
            found.append(fitting.measured(elementwise, bound, limit.budget or 1.0))
        return found

    def _by_line(self, measured: Sequence[Measured]) -> list[Measured]:
        """The readings, with formulas that only lines have; measures all points by line. Raises
        LearnerGone and CostFailed."""
        fitting = self._fitting
        if self.lines or fitting is None:
            return list(measured)
        if self.reference.drive is not None:
            driven = self._script_readings(self.job.points, by_line=True)
            phases = sorted({phase for reading in driven for phase in reading.lines})
            found = {p: [r.lines.get(p, PointLines()) for r in driven] for p in phases}
        else:
            found = {"": self._call_lines()}
        where = (fitting.grid, fitting.held_out, fitting.largest)
        self.lines = {phase: LineCosts(*where, at, phase) for phase, at in found.items()}
        return [
            lines.improved(each) if (lines := self.lines.get(each.meter.phase)) else each
            for each in measured
        ]

    def _call_lines(self) -> list[PointLines]:
        """What lines cost at all points; temporaries inside operations are known where the readings
        needed them."""
        self._measure_calls([(point, "lines") for point in self.job.points])
        found = []
        for point in self.job.points:
            found.append(PointLines())
            if reply := self._replies.get((id(point), "lines")):
                found[-1].add(reply)
            if reply := self._replies.get((id(point), "allocations")):
                found[-1].replace_moments(reply)
        return found

    def _enlarged(self, found: Measured) -> Measured:
        """A reading without a formula, with the proof that it outgrows the contract, if there is
        one; raises LearnerGone and CostFailed."""
        kind = found.meter.kind
        asked = MeterKind.FLOPS if kind is MeterKind.ELEMENTWISE else kind
        growth = self.limits[found.meter.of(asked)].growth
        if found.suspect is None or growth is None:
            return found
        start = self.job.points[found.suspect]
        bound = parse(growth).expand()
        before: int | None = None
        for names, point, allowed in enlargements(self.contract, start, bound, found.slopes):
            if before is None:
                before = all_work(self._reading_at(start), found.meter)
            after = all_work(self._reading_at(point), found.meter)
            made = Enlarged(sizes_text(names, start), before, after, allowed)
            if made.outgrows:
                return replace(found, enlarged=made)
        return found

    def _reading_at(self, point: wire.Point) -> dict[Meter, int]:
        """The readings at a point beside the grid, of a second call: the first fills what a
        submission caches by size."""
        if self.reference.drive is not None:
            return by_meter(self._script_readings([point, point])[1].by_meter())
        first, *more = self._call_meters()
        profile = ["profile"] if self._hides_temporaries() else []
        found = [self._read(point, meter) for meter in (first, first, *more, *profile)][1:]
        merged = {name: value for reading in found for name, value in reading.items()}
        if "peak_bytes" in merged:
            merged["peak_bytes"] = max(reading.get("peak_bytes", 0) for reading in found)
        return by_meter(merged)

    def _temporaries(self, samples: list[Readings]) -> None:
        """Replace the peaks by the profiler's where operations allocate temporaries."""
        points = self.job.points
        sampled = sorted({0, len(points) // 2, len(points) - 1})
        seen = self._profiled(sampled, "profile")
        # A GPU's allocator rounds up; only a larger difference was hidden.
        slack = ALLOCATOR_ROUNDING if self.job.device == "cuda" else 0
        if all(peak - samples[place]["peak_bytes"] <= slack for place, peak in seen.items()):
            return
        seen = self._profiled(range(len(points)), "allocations")
        for place, peak in seen.items():
            samples[place]["peak_bytes"] = max(peak, samples[place]["peak_bytes"])

    def _profiled(self, places: Sequence[int], meter: str) -> dict[int, int]:
        """By place, the peak that the profiler saw at that point."""
        found = self._measure_calls([(self.job.points[place], meter) for place in places])
        return {p: reading["peak_bytes"] for p, reading in zip(places, found, strict=True)}

    def _comparisons(self) -> tuple[Reading, ...]:
        """The contract's comparisons of two points."""
        pairs = self.job.compared
        if not pairs:
            return ()
        points = [point for pair in pairs for point in (pair.at, pair.against)]
        found = self._measure_calls([(point, "dispatch") for point in points])
        return tuple(
            compared(rule, at[rule.meter], against[rule.meter])
            for rule, at, against in zip(
                self.contract.compare, found[::2], found[1::2], strict=True
            )
        )

    # --- witnesses ---

    def _begin_witness(self, point: wire.Point) -> int:
        """Start a large call under the meters; returns its number, or 0 if the process cannot be
        watched."""
        if not self.watch.available:
            return 0
        return self.channel.start_call(self.points.inputs(point, "dispatch").placed, "dispatch")

    def _watched(self, point: wire.Point, number: int) -> WatchedCall:
        """Receive the large call of that number, then watch one with other inputs from outside.

        The first call also warms caches, so that pages of libraries that it loads count in neither.
        """
        inputs = self.points.inputs(point, "watched")
        expected = inputs.expected
        reply = self.channel.receive(number)
        if reply.banned or reply.raised is not None:
            what = reply.raised.kind if reply.raised is not None else reply.banned
            raise CostFailed(f"At {_at(point.params)} your code raised {sanitised(what)}.")
        seen = self.watch.call(
            point.params, inputs.placed, lambda reply: self._check_outputs(reply, expected, point)
        )
        _require_empty(disturbance(self.channel.modified_input(inputs.placed), ""), point)
        if not self.cache.solution_time:
            self.cache.solution_time = solution_time(self.job, inputs.args)
        return replace(
            seen,
            metered=reply.readings.get("peak_bytes", 0),
            outputs=len(reply.tensors),
            solution_time=self.cache.solution_time,
        )


def _require_empty(message: str, point: wire.Point) -> None:
    """Raise CostFailed if there is a message about the outputs at a point."""
    if message:
        raise CostFailed(f"While its cost was measured ({_at(point.params)}): {message}")


def _at(params: Params) -> str:
    return ", ".join(f"{name}={value}" for name, value in params.items())
