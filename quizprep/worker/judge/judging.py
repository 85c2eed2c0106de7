"""The judge: trusted, holds the reference and the mistakes, and decides the verdict.

It runs in a process of its own beside the learner. What comes from the learner is data with a
number on it; readings made in the learner's process are checked by witnesses from outside.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quizprep.grading import wire
from quizprep.grading.verdict import CaseResult, NamedMistake, Raised, Stage, Status, Verdict
from quizprep.worker import arena
from quizprep.worker.backends import Backend, backend_for
from quizprep.worker.judge.channel import Calls, Channel, LearnerGone
from quizprep.worker.judge.comparison import computed_lower
from quizprep.worker.judge.cost import Costing
from quizprep.worker.judge.diagnosis import Observed, diagnose
from quizprep.worker.judge.error_location import Telling
from quizprep.worker.judge.examiner import Examiner, stray_message, submitted, told
from quizprep.worker.judge.exercise_files import load_mistakes, load_reference
from quizprep.worker.judge.preparation import Cases, Grounds, as_it_is
from quizprep.worker.judge.reference_cache import ReferenceCache
from quizprep.worker.judge.script import Remote, Script
from quizprep.worker.judge.witness import Subject, Watch

NO_MASK = NamedMistake(
    id="lanes_without_an_element",
    says="Lanes of your kernel read or write where a tensor has no element. A tile that "
    "sticks out of a tensor needs a mask on its loads and on its stores.",
    concept="kernel-masking",
)
NO_STRIDES = NamedMistake(
    id="strides_not_used",
    says="Your kernel reads or writes between the elements of an input, as if they lay side "
    "by side. An element is at the sum of its indices times their strides.",
    concept="strides",
)
"""What accesses of a kernel without an element are called; every Triton exercise may see them."""


def main(
    job: wire.Job,
    subject: Subject,
    orders: int,
    replies: int,
    events: int,
    control: int,
    ready: int,
    cache: int,
) -> None:
    """Judge one submission and send the verdict; a fault of ours is sent as a fault."""
    try:
        backend = backend_for(job.spec.runtime)
        channel = Channel(backend, arena.attach(subject.memory), orders, replies, events, control)
        known = ReferenceCache(cache, job)
        verdict = Judge(job, subject, backend, channel, known).run(ready)
        wire.send(events, wire.Judged(verdict=verdict))
        known.save()
    except wire.Closed:
        return
    except Exception:
        with contextlib.suppress(wire.Closed):
            wire.send(events, wire.Fault(message=traceback.format_exc()))


@dataclass(frozen=True)
class Outcome:
    """A case that was called: its result, what diagnosis needs of it, how telling a failure is."""

    result: CaseResult
    seen: Observed
    telling: Telling


class Judge:
    """The stages of one grading, in order; a failed stage ends it."""

    def __init__(
        self,
        job: wire.Job,
        subject: Subject,
        backend: Backend,
        channel: Channel,
        cache: ReferenceCache,
    ) -> None:
        self.job = job
        self.subject = subject
        self.backend = backend
        self.channel = channel
        self.cache = cache
        self.reference = load_reference(job.folder)
        self.examiner = Examiner(job.spec, backend, channel)
        self._cases = Cases(job, self.reference, backend, cache)
        self._grounds = Grounds(job, self.reference, backend)
        channel.meanwhile = self._work_ahead
        self._stray: NamedMistake | None = None
        """What the first access of a kernel without an element is called."""
        self._driven: dict[int, Script] = {}
        """By place of a case, its script, driven before its turn."""

    def run(self, ready: int) -> Verdict:
        """Load, correctness, then diagnosis or cost."""
        try:
            unconfined = self.channel.ready(ready)
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
        # Before anything of the submission's exists, so that what it keeps from now on shows.
        watch = Watch(self.subject, self.channel)
        self.channel.tell(wire.Progress(stage="load", done=0, total=1))
        load = self._load()
        yield load
        if load.status != "pass":
            return
        outcomes, results = self._correctness()
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
                yield self._diagnose(outcomes, failed[0], complete=len(outcomes) == len(results))
            return
        if self.job.device == "cuda" and self.job.spec.runtime == "triton":  # unseen: only on a GPU
            message = (
                "traffic is counted in Triton's interpreter; grade without --device cuda as well"
            )
            yield Stage(name="cost", status="skip", message=message)
            return
        yield from Costing(
            self.job,
            watch,
            self.backend,
            self.channel,
            self.reference,
            self._grounds,
            self.examiner,
            self.cache,
        ).stages()

    def _work_ahead(self) -> bool:
        """A piece of what will be needed, while the learner is waited for; False at its end."""
        if self._cases.step():
            return True
        # A script sends few calls ahead: the learner would soon wait for the end of a long piece.
        return self.reference.drive is None and not self.job.brief and self._grounds.step()

    # --- load ---

    def _load(self) -> Stage:
        try:
            reply = self.channel.load()
        except LearnerGone as gone:
            return Stage(name="load", status="fail", message=f"While loading, your code {gone}.")
        if reply.raised is not None:
            return Stage(
                name="load",
                status="fail",
                message="Your file could not be loaded.",
                raised=told(reply.raised),
            )
        for name, output in zip(self.job.spec.entries, reply.outputs, strict=False):
            if output.kind == "missing":
                message = f"Your file defines no {name}; the starter shows its signature."
            elif output.kind != "callable":
                kind = submitted(output.kind)
                message = f"{name} in your file is a {kind}; it should be callable."
            else:
                continue
            return Stage(name="load", status="fail", message=message)
        return Stage(name="load", status="pass")

    # --- correctness ---

    def _correctness(self) -> tuple[list[Outcome], tuple[CaseResult, ...]]:
        """The cases that were called to their end, and the results of all."""
        outcomes: list[Outcome] = []
        cases = self.job.cases
        calls = Calls(self.channel, self._in_order()) if self.reference.drive is None else None
        for place, case in enumerate(cases):
            if place % 8 == 0:
                self.channel.tell(wire.Progress(stage="correctness", done=place, total=len(cases)))
            try:
                if calls is not None:
                    outcomes.append(self._case(place, case, calls))
                else:
                    outcomes.append(self._script_case(place, case))
            except LearnerGone as gone:
                ended = _result(case, "fail", f"Your code {gone}.")
                rest = (_result(other, "skip") for other in cases[place + 1 :])
                return outcomes, (*(outcome.result for outcome in outcomes), ended, *rest)
            if self.job.brief and outcomes[-1].seen.failed:
                break
        return outcomes, tuple(outcome.result for outcome in outcomes)

    def _case(self, place: int, case: wire.Case, calls: Calls) -> Outcome:
        made = self._cases.inputs(place)
        reply, changed = calls.next()
        # The learner is at work on the cases behind it meanwhile.
        expected = self._cases.expected(place)
        found = self.examiner.reply(reply, expected, case.params, case.gradients)
        message, telling = found.message, found.telling
        if message and found.outputs is not None and made.around is as_it_is:
            solve = self.reference.solve
            lower = computed_lower(solve, made.args, self.backend, expected, found.outputs)
            if lower:
                message += f"; the error is as large as computing in {lower} makes it"
        if not message and changed:
            message = f"Your code changed its input {changed}; inputs belong to the caller."
        if case.twice:
            try:
                again = self.examiner.reply(calls.next()[0], expected, case.params, case.gradients)
            except LearnerGone:
                # What is known of the first call says more; the next case tells of the end.
                if not message:
                    raise
            else:
                if again.message and not message:
                    message = f"A second call with the same inputs is wrong: {again.message}"
                    telling = again.telling
        seen = Observed(
            args=made.args,
            expected=expected,
            outputs=found.outputs,
            raised=found.raised.kind if found.raised else "",
            failed=bool(message),
            around=made.around,
            unequal=bool(found.message) and found.outputs is not None,
        )
        # No part of what is diagnosed: models of mistakes have outputs, and no kernels.
        if reply.stray is not None:
            between = reply.stray.arg >= 0 and reply.stray.by == 0
            self._stray = self._stray or (NO_STRIDES if between else NO_MASK)
            stray = stray_message(reply.stray, made.laid)
            message = "; ".join(part for part in (message, stray) if part)
        status: Status = "fail" if message else "pass"
        return Outcome(_result(case, status, message, found.raised), seen, telling)

    def _in_order(self) -> Iterator[tuple[arena.Laid, str]]:
        """The calls of all cases; some are made twice."""
        for place, case in enumerate(self.job.cases):
            laid = self._cases.inputs(place).laid
            yield laid, ""
            if case.twice:
                yield laid, ""

    def _script_case(self, place: int, case: wire.Case) -> Outcome:
        made = self._cases.inputs(place)
        script = self._driven.pop(place, None) or self._drive(place)
        # The learner is at work on the other core meanwhile.
        expected = self._cases.expected(place)
        script.finish()
        changed = self.channel.changed(made.laid)
        if place + 1 < len(self.job.cases):
            self._driven[place + 1] = self._drive(place + 1)
        found = self.examiner.script(script, expected, case.params)
        message = found.message
        if not message and changed:
            message = f"Your code changed its input {changed}; inputs belong to the caller."
        seen = Observed(
            args=made.args,
            expected=expected,
            outputs=found.outputs,
            raised=found.raised.kind if found.raised else "",
            failed=bool(message),
            unequal=bool(found.message) and found.outputs is not None,
        )
        status: Status = "fail" if message else "pass"
        return Outcome(_result(case, status, message, found.raised), seen, found.telling)

    def _drive(self, place: int) -> Script:
        """The script of a case, driven up to where it waits for the last of its answers."""
        made = self._cases.inputs(place)
        api = Remote(self.channel, made.laid, self.backend, self.job.spec.entries, metered=False)
        assert self.reference.drive is not None
        return Script(api, self.reference.drive, made.args)

    # --- diagnosis ---

    def _diagnose(self, outcomes: Sequence[Outcome], failed: CaseResult, complete: bool) -> Stage:
        """Where outputs are wrong and which mistakes explain them; ``failed`` is the first
        failure, for where no outcome has one."""
        self.channel.tell(wire.Progress(stage="diagnosis", done=0, total=1))
        failures = [outcome for outcome in outcomes if outcome.result.status == "fail"]
        shown = max(failures, key=lambda o: o.telling).result if failures else failed
        mistakes: tuple[NamedMistake, ...] = ()
        unexplained = False
        seen = [outcome.seen for outcome in outcomes]
        if complete and any(case.failed for case in seen):
            known = load_mistakes(self.job.folder, self.reference)
            mistakes = diagnose(known, seen, self.backend)
            # What raises, returns none or changes its inputs has no outputs to be explained.
            by_outputs = all(case.unequal for case in seen if case.failed)
            unexplained = not mistakes and self._stray is None and by_outputs
        # Seen, and not concluded from outputs; where a mistake of the exercise says it, once.
        concepts = {*self.job.spec.concepts} - {mistake.concept for mistake in mistakes}
        if self._stray is not None and self._stray.concept in concepts:
            mistakes = (*mistakes, self._stray)
        sizes = ", ".join(f"{name}={value}" for name, value in shown.params.items())
        return Stage(
            name="diagnosis",
            status="pass",
            where=f"{shown.message} ({sizes}; {shown.dtype}, {shown.layout})",
            mistakes=mistakes,
            unexplained=unexplained,
        )


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
