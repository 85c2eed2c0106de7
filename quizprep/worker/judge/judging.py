"""The judge's process: trusted, it holds the reference and the mistakes, and decides the verdict.

What comes from the learner is parsed as numbered data. Readings made in the learner's process are
checked by witnesses from outside.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from quizprep.grading import wire
from quizprep.grading.verdict import (
    CaseResult,
    Raised,
    Stage,
    Status,
    Symptom,
    Verdict,
)
from quizprep.worker import arena
from quizprep.worker.backends import backend_for
from quizprep.worker.children import JudgeEnds, detach
from quizprep.worker.judge.causes import Failure
from quizprep.worker.judge.channel import Channel, LearnerGone, PipelinedCalls
from quizprep.worker.judge.comparison import Expected, computed_lower
from quizprep.worker.judge.compile_stage import CompileStage
from quizprep.worker.judge.cost import CostStage
from quizprep.worker.judge.diagnosis import Observed
from quizprep.worker.judge.error_location import Detail
from quizprep.worker.judge.examiner import (
    Examined,
    Examiner,
    access_message,
    disturbance,
    race_message,
    sanitised,
    sanitised_exception,
)
from quizprep.worker.judge.exercise_files import load_reference
from quizprep.worker.judge.explanation import Explanation, Outcome
from quizprep.worker.judge.on_gpu import as_on_gpu
from quizprep.worker.judge.preparation import (
    CaseInputs,
    Cases,
    MeteredPoints,
    case_inputs,
    unchanged,
)
from quizprep.worker.judge.reference_cache import ReferenceCache
from quizprep.worker.judge.script_cases import ScriptCases
from quizprep.worker.judge.witness import LearnerProcess, ProcessWatch
from quizprep.worker.protocol import UnlikeGpu

SEARCH_SHARE = {"numpy": 1.2, "torch": 0.25, "triton": 0.25}
"""Processor time of the search for a line, as a share of what importing the runtime took: so a slow
machine searches as far as a fast one. numpy is imported in an eighth of torch's time."""


def main(nursery: int, ends: JudgeEnds, learner: int, scratch: str, import_seconds: float) -> None:
    """In the judge's process: read the job and judge the submission of the process ``learner``.
    ``import_seconds`` of processor time is what the nursery took to import its runtime."""
    detach(nursery, ends.all())
    _reuse_freed_memory()
    # Read only here: neither the nursery nor the learner, forked from it, has ever held a seed.
    job: wire.Job = wire.receive(ends.requests, wire.Job)
    os.close(ends.requests)
    share = SEARCH_SHARE[job.spec.runtime]
    judge(job, LearnerProcess(learner, ends.memory, scratch), ends, share * import_seconds)


def judge(
    job: wire.Job, process: LearnerProcess, ends: JudgeEnds, search_seconds: float = 0.0
) -> None:
    """Judge one submission and send the verdict; a fault of ours is sent as a fault."""
    try:
        judge = Judge(job, process, ends, search_seconds)
        wire.send(ends.events, wire.Judged(verdict=judge.verdict()))
        judge.cache.save()
    except wire.Closed:
        return
    except Exception:
        with contextlib.suppress(wire.Closed):
            wire.send(ends.events, wire.Fault(message=traceback.format_exc()))


def _reuse_freed_memory() -> None:
    """Have malloc retain freed blocks: nobody watches the judge's memory, and page faults on fresh
    pages take longer than the reference's arithmetic."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, 1 << 30)


class Judge:
    """The stages of one grading, in order; a failed stage ends it."""

    def __init__(
        self, job: wire.Job, process: LearnerProcess, ends: JudgeEnds, search_seconds: float = 0.0
    ) -> None:
        """``search_seconds`` of processor time may go into the search for a line."""
        self.job = job
        self.search_seconds = search_seconds * job.search
        self.process = process
        self.backend = backend_for(job.spec.runtime)
        self.channel = Channel(self.backend, arena.attach(ends.memory), ends)
        self.cache = ReferenceCache(ends.cache, job)
        self.reference = load_reference(job.folder)
        self.examiner = Examiner(job.spec, self.backend, self.channel)
        self._cases = Cases(job, self.reference, self.backend, self.cache)
        self._points = MeteredPoints(job, self.reference, self.backend)
        self.channel.idle_work = self._prepare
        self._scripts = ScriptCases(
            job, self._cases, self.reference, self.backend, self.channel, self.examiner
        )
        self._compile = CompileStage(job, ends.compiler)
        self._unlike_gpu: dict[int, tuple[UnlikeGpu, ...]] = {}
        """By the place of a case, what its kernels use that is otherwise on a GPU."""
        self._invalid_layouts: set[str] = set()
        """The layouts of the cases in which the kernel made an invalid access."""

    def verdict(self) -> Verdict:
        """Load, correctness, then diagnosis or cost."""
        try:
            unconfined = self.channel.wait_until_confined()
        except LearnerGone as gone:
            load = Stage(name="load", status="error", message=str(gone))
            return self._verdict([load])
        if unconfined and self.job.require_confinement:
            message = f"Not run, because it cannot be confined: {'; '.join(unconfined)} is missing."
            load = Stage(name="load", status="fail", message=message)
            return self._verdict([load], unconfined)
        return self._verdict(list(self._stages()), unconfined)

    def _verdict(self, stages: Sequence[Stage], unconfined: tuple[str, ...] = ()) -> Verdict:
        return Verdict.of(self.job.exercise, self.job.seed, tuple(stages), unconfined)

    def _stages(self) -> Iterator[Stage]:
        """The stages that are reached."""
        # Before the submission is loaded, so that all memory that it retains counts.
        watch = ProcessWatch(self.process, self.channel)
        self.channel.send_event(wire.Progress(stage="load", done=0, total=1))
        load = self._load()
        yield load
        if load.status != "pass":
            return
        outcomes, results = self._correctness()
        if any(self._unlike_gpu.values()) and len(outcomes) == len(results):
            outcomes = as_on_gpu(
                outcomes, self._unlike_gpu, self.job, self._cases, self.channel, self.examiner
            )
            results = tuple(outcome.result for outcome in outcomes)
        self._compile.start()
        failed = [result for result in results if result.status == "fail"]
        counts = f"{len(results)} cases"
        yield Stage(
            name="correctness",
            status="fail" if failed else "pass",
            message=f"{len(failed)} of {counts} fail" if failed else counts,
            cases=results,
        )
        if failed:
            if not self.job.brief:
                complete = len(outcomes) == len(results)
                yield self._explained(outcomes, failed[0], complete)
            yield from self._compiled()
            return
        if self.job.device == "cuda" and self.job.spec.runtime == "triton":  # unseen: only on a GPU
            message = (
                "traffic is counted in Triton's interpreter; grade without --device cuda as well"
            )
            yield Stage(name="cost", status="skip", message=message)
            return
        yield from CostStage(
            job=self.job,
            watch=watch,
            backend=self.backend,
            channel=self.channel,
            reference=self.reference,
            points=self._points,
            examiner=self.examiner,
            cache=self.cache,
        ).stages()
        yield from self._compiled()

    def _compiled(self) -> Iterator[Stage]:
        """What became of the kernels' compilation, if any were launched."""
        with contextlib.suppress(LearnerGone):
            for case in self.job.gpu:
                placed = case_inputs(self.reference, case, self.backend).placed
                number = self.channel.start_call(placed, meter="launch")
                self._compile.collect(self.channel.receive(number))
        stage = self._compile.stage()
        if stage is not None:
            yield stage

    def _prepare(self) -> bool:
        """Prepare the next inputs or expected outputs; False once all are prepared."""
        if self._cases.step():
            return True
        # A script has few calls in flight: the learner would soon idle during a long step.
        return self.reference.drive is None and not self.job.brief and self._points.step()

    # --- load ---

    def _load(self) -> Stage:
        try:
            reply = self.channel.load()
        except LearnerGone as gone:
            return Stage(name="load", status="fail", message=f"While loading, your code {gone}.")
        if reply.raised is not None:
            missing = reply.raised.kind in ("ModuleNotFoundError", "ImportError")
            return Stage(
                name="load",
                status="fail",
                message="Your file could not be loaded." + ALONE * missing,
                raised=sanitised_exception(reply.raised),
            )
        for name, output in zip(self.job.spec.entries, reply.outputs, strict=False):
            if output.kind == "missing":
                message = f"Your file defines no {name}; the starter shows its signature."
            elif output.kind != "callable":
                kind = sanitised(output.kind)
                message = f"{name} in your file is a {kind}; it should be callable."
            else:
                continue
            return Stage(name="load", status="fail", message=message)
        return Stage(name="load", status="pass")

    # --- correctness ---

    def _correctness(self) -> tuple[list[Outcome], tuple[CaseResult, ...]]:
        """The outcomes of the cases that were completed, and the results of all cases."""
        outcomes: list[Outcome] = []
        cases = self.job.cases
        calls = (
            PipelinedCalls(self.channel, self._in_order()) if self.reference.drive is None else None
        )
        for place, case in enumerate(cases):
            if place % 8 == 0:
                self.channel.send_event(
                    wire.Progress(stage="correctness", done=place, total=len(cases))
                )
            try:
                if calls is not None:
                    outcome = self._case(place, case, calls)
                else:
                    outcome = self._script_case(place, case)
                if case.again:
                    outcome = _repeats(outcome, outcomes[-1])
                outcomes.append(outcome)
            except LearnerGone as gone:
                ended = _result(case, "fail", f"Your code {gone}.")
                rest = (_result(other, "skip") for other in cases[place + 1 :])
                return outcomes, (*(outcome.result for outcome in outcomes), ended, *rest)
            if self.job.brief and outcomes[-1].seen.failed:
                break
        return outcomes, tuple(outcome.result for outcome in outcomes)

    def _case(self, place: int, case: wire.Case, calls: PipelinedCalls) -> Outcome:
        made = self._cases.inputs(place)
        reply, modified = calls.next()
        self._compile.collect(reply)
        self._unlike_gpu[place] = reply.unlike_gpu
        disturbed = disturbance(modified, reply.disturbed)
        # The learner works on the next cases meanwhile.
        expected = self._cases.expected(place)
        found = self.examiner.reply(reply, expected, case.params, case.gradients)
        if found.message and found.outputs is not None and made.transform is unchanged:
            solve = self.reference.solve
            dtypes = self.job.spec.cases.dtypes
            lower = computed_lower(solve, made.args, self.backend, expected, found.outputs, dtypes)
            if lower:
                text = f"{found.message}; the error is as large as computing in {lower} makes it"
                found = replace(found, message=text)
        repeated = Examined()
        if case.twice:
            try:
                repeated = self.examiner.reply(
                    calls.next()[0], expected, case.params, case.gradients
                )
            except LearnerGone:
                # The result of the first call says more; the next case reports the end.
                if not found.message and not disturbed:
                    raise
        outcome = self._outcome(case, made, expected, found, disturbed, repeated)
        access, race = reply.invalid_access, reply.race
        if access is None and race is None:
            return outcome
        # Not part of what is diagnosed: the models of mistakes have outputs, but no kernels.
        parts = [outcome.result.message]
        if race is not None:
            parts.append(race_message(race))
            failure = Failure(Symptom.RACE, Detail.REGION, line=race.line)
        if access is not None:
            self._invalid_layouts.add(case.layout)
            parts.append(access_message(access, made.placed))
            failure = Failure(Symptom.ACCESS, Detail.REGION, line=access.line)
        message = "; ".join(part for part in parts if part)
        return replace(
            outcome, result=_result(case, "fail", message, found.raised), failure=failure
        )

    def _outcome(
        self,
        case: wire.Case,
        made: CaseInputs,
        expected: Expected,
        found: Examined,
        disturbed: str,
        repeated: Examined,
    ) -> Outcome:
        """The outcome of a case: ``found`` is what is wrong with its outputs, ``disturbed`` says
        what of the caller's was changed, ``repeated`` what is wrong with the outputs of a second
        call."""
        message, symptom, detail = found.message, found.symptom, found.detail
        if repeated.message and _unequal(found, repeated, expected):
            if message:
                message, symptom = f"{UNEQUAL} In the first, {message}", Symptom.RANDOM
            else:
                message = f"A second call with the same inputs is wrong: {repeated.message}"
                symptom, detail = Symptom.STATE, repeated.detail
        elif not message and disturbed:
            message, symptom = disturbed, Symptom.CALLER
        seen = Observed(
            args=made.args,
            expected=expected,
            outputs=found.outputs,
            raised=found.raised.kind if found.raised else "",
            failed=bool(message),
            transform=made.transform,
            straightened=found.straightened,
            dtype=case.dtype,
        )
        failure = Failure.of(symptom, detail, found.raised) if symptom else None
        status: Status = "fail" if message else "pass"
        return Outcome(_result(case, status, message, found.raised), seen, failure)

    def _explained(self, outcomes: Sequence[Outcome], failed: CaseResult, complete: bool) -> Stage:
        return Explanation(
            job=self.job,
            backend=self.backend,
            channel=self.channel,
            reference=self.reference,
            examiner=self.examiner,
            cases=self._cases,
            outcomes=outcomes,
            invalid_layouts=self._invalid_layouts,
        ).stage(failed, complete, self.process.pid, self.search_seconds)

    def _in_order(self) -> Iterator[tuple[arena.PlacedInputs, str]]:
        """The inputs of all calls; some cases are called twice."""
        for place, case in enumerate(self.job.cases):
            placed = self._cases.inputs(place).placed
            yield placed, ""
            if case.twice:
                yield placed, ""

    def _script_case(self, place: int, case: wire.Case) -> Outcome:
        found, disturbed = self._scripts.judged(place)
        made, expected = self._cases.inputs(place), self._cases.expected(place)
        return self._outcome(case, made, expected, found, disturbed, Examined())


ALONE = " It is graded by itself: a module that lies beside it cannot be imported."

UNEQUAL = (
    "Two calls with the same inputs have different results: something is random, uninitialised, or "
    "kept from call to call."
)


def _unequal(one: Examined, other: Examined, expected: Expected) -> bool:
    """Whether two calls with the same inputs, one of which is wrong, have different results."""
    if one.outputs is None or other.outputs is None:
        return one.message != other.message
    return not replace(expected, values=one.outputs).accepts(other.outputs)


def _repeats(outcome: Outcome, before: Outcome) -> Outcome:
    """The outcome of a case of the same sizes as the one before: whether it has its outputs."""
    one, two = outcome.seen.outputs, before.seen.outputs
    if before.seen.failed or not outcome.seen.failed or not one or not two:
        return outcome
    if not all(map(np.array_equal, one, two)):
        return outcome
    text = (
        f"{outcome.result.message}; these are the outputs of the call before, which had the same "
        "sizes and other values: your code keeps something from one call to the next"
    )
    result = msgspec.structs.replace(outcome.result, message=text)
    return replace(outcome, result=result, failure=Failure(Symptom.STATE))


def _result(
    case: wire.Case, status: Status, message: str = "", raised: Raised | None = None
) -> CaseResult:
    return CaseResult(
        params=case.params,
        dtype=case.dtype,
        layout=case.layout,
        magnitude=case.magnitude,
        fresh=case.fresh,
        status=status,
        message=message,
        raised=raised,
    )
