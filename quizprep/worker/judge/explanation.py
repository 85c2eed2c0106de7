"""The diagnosis of a submission that failed: where it is wrong, when, by which mistake, in which
line, and a picture of it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import msgspec

from quizprep.grading import wire
from quizprep.grading.verdict import (
    CaseResult,
    Cause,
    ErrorMap,
    MaskSeen,
    NamedMistake,
    Stage,
    Symptom,
)
from quizprep.worker.backends import Backend
from quizprep.worker.judge.case_script import case_script
from quizprep.worker.judge.causes import Failure, causes
from quizprep.worker.judge.channel import Channel, LearnerGone
from quizprep.worker.judge.conditions import HALVES
from quizprep.worker.judge.departure import find_departure
from quizprep.worker.judge.diagnosis import Diagnosis, Observed, diagnose
from quizprep.worker.judge.examiner import Examiner
from quizprep.worker.judge.exercise_files import Reference, load_mistakes
from quizprep.worker.judge.mask_probe import MaskProbe, error_map
from quizprep.worker.judge.preparation import Cases
from quizprep.worker.judge.repair import RepairSearch

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
"""The mistakes behind invalid accesses, which any Triton exercise may name."""

NO_ATOMIC = NamedMistake(
    id="data_race",
    says="Programs of one launch update the same element by load, add and store. A GPU runs them "
    "at once, and updates are lost. Give each element to one program, or use tl.atomic_add.",
    concept="kernel-races",
)
NO_ORDER = NamedMistake(
    id="order_of_programs",
    says="What your kernel computes depends on the order in which its programs run. On a GPU there "
    "is none: what one program needs of another has to come from an earlier launch.",
    concept="kernel-races",
)
NO_OTHER = NamedMistake(
    id="masked_lanes_undefined",
    says="Your kernel uses masked lanes of a load that has no other. On a GPU they may hold "
    "anything: give other the value that changes nothing, 0 for a sum and -inf for a maximum.",
    concept="kernel-masking",
)
NO_PRECISION = NamedMistake(
    id="tf32_by_default",
    says="On a GPU tl.dot rounds float32 tiles to TF32, with 10 bits of fraction, unless it is "
    'given input_precision="ieee".',
    concept="number-formats",
)
"""What was seen of the programs of a launch, in any Triton exercise."""


@dataclass(frozen=True)
class Outcome:
    """A completed case: its result, what diagnosis needs to know, and how it failed, if it did."""

    result: CaseResult
    seen: Observed
    failure: Failure | None


@dataclass(frozen=True)
class Explanation:
    """Explains the failures among the outcomes of a job's cases.

    invalid_layouts  the layouts of the cases in which the kernel made an invalid access
    """

    job: wire.Job
    backend: Backend
    channel: Channel
    reference: Reference
    examiner: Examiner
    cases: Cases
    outcomes: Sequence[Outcome]
    invalid_layouts: Set[str]

    def stage(
        self, failed: CaseResult, complete: bool, learner: int, search_seconds: float
    ) -> Stage:
        """The diagnosis; all of it only if ``complete``, when every case was run. ``failed`` is the
        first failing case, ``learner`` the submission's process."""
        diagnosis = self._diagnosis(failed, complete)
        if self.job.script:
            diagnosis = msgspec.structs.replace(diagnosis, script=self._script())
        if Symptom.RANDOM in {cause.symptom for cause in diagnosis.causes}:
            return diagnosis
        if not (complete and search_seconds and any(o.seen.failed for o in self.outcomes)):
            return diagnosis
        return self._located(diagnosis, learner, search_seconds)

    def _diagnosis(self, failed: CaseResult, complete: bool) -> Stage:
        """Where outputs are wrong, and which mistakes explain them. ``failed``, the first failing
        case, is described if no completed case failed."""
        outcomes = self.outcomes
        self.channel.send_event(wire.Progress(stage="diagnosis", done=0, total=1))
        found = causes(
            self.job.cases,
            [outcome.result for outcome in outcomes],
            [outcome.failure for outcome in outcomes],
        )
        details = {o.failure.detail: o.result for o in reversed(outcomes) if o.failure}
        shown = details[max(details)] if details else failed
        diagnosis, unexplained = Diagnosis(), False
        symptoms = {cause.symptom for cause in found}
        settled = complete and Symptom.RANDOM not in symptoms
        if settled:
            known = load_mistakes(self.job.folder, self.reference)
            seen = [outcome.seen for outcome in outcomes]
            diagnosis = diagnose(known, seen, self.backend)
            # Where two sizes are equal, a turned output has the right shape and wrong values.
            wrong_values = any(case.wrong_values for case in seen) and Symptom.SHAPE not in symptoms
            unexplained = diagnosis == Diagnosis() and wrong_values and not self.invalid_layouts
        mistakes = diagnosis.mistakes
        # The invalid access was observed, not inferred from outputs. It is left out if one of the
        # exercise's own mistakes has the same concept.
        concepts = {*self.job.spec.concepts} - {mistake.concept for mistake in mistakes}
        if self.invalid_layouts:
            # Row-major inputs have the strides that everybody expects: there it is the mask.
            behind = NO_MASK if "contiguous" in self.invalid_layouts else NO_STRIDES
            mistakes = (*mistakes, behind) if behind.concept in concepts else mistakes
        observed = {
            Symptom.RACE: NO_ATOMIC,
            Symptom.UNFILLED: NO_OTHER,
            Symptom.TF32: NO_PRECISION,
            Symptom.ORDER: NO_ORDER,
        }
        named = {mistake.concept for mistake in mistakes}
        mistakes += tuple(
            mistake
            for symptom, mistake in observed.items()
            if symptom in symptoms and mistake.concept not in named
        )
        sizes = ", ".join(f"{name}={value}" for name, value in shown.params.items())
        return Stage(
            name="diagnosis",
            status="pass",
            where=f"{shown.message} ({sizes}; {shown.dtype}, {shown.layout})",
            mistakes=mistakes,
            alternatives=diagnosis.alternatives,
            causes=found,
            mask=(mask := self._mask() if settled else None),
            map=self._map() if settled and mask is None else None,
            unexplained=unexplained,
        )

    def _mask(self) -> MaskSeen | None:
        """The submission's mask, where values are wrong and it is not the right one."""
        if self.reference.drive is not None or self.invalid_layouts:
            return None
        wrong = [
            (self.job.cases[place], self.cases.inputs(place).placed)
            for place, outcome in enumerate(self.outcomes)
            if outcome.seen.wrong_values
        ]
        try:
            return MaskProbe(self.channel, self.backend, self.reference.solve).differing(wrong)
        except LearnerGone:
            return None

    def _map(self) -> ErrorMap | None:
        """Where the values of the case that shows it best are wrong."""
        if not self.job.spec.returns or self.reference.drive is not None:
            return None
        name, axes = next(iter(self.job.spec.returns.items()))
        maps = (
            error_map(case, outcome.seen, name, axes)
            for case, outcome in zip(self.job.cases, self.outcomes, strict=False)
            if outcome.seen.wrong_values and case.dtype not in HALVES
        )
        return next((found for found in maps if found is not None), None)

    def _located(self, diagnosis: Stage, learner: int, seconds: float) -> Stage:
        """The diagnosis with the line of the slip, if an edit finds it."""
        seen = [outcome.seen for outcome in self.outcomes]
        self.channel.send_event(wire.Progress(stage="search", done=0, total=1))
        search = RepairSearch(
            job=self.job,
            channel=self.channel,
            learner=learner,
            examiner=self.examiner,
            reference=self.reference,
            cases=self.cases,
            backend=self.backend,
            seconds=seconds,
        )
        slip = search.slip(seen)
        if slip is not None:
            return msgspec.structs.replace(diagnosis, slip=slip)
        if search.right_afresh is not None:
            return self._keeps_state(diagnosis, search.right_afresh)
        found = find_departure(
            self.job, self.channel, self.reference, self.cases, self.backend, seen
        )
        return msgspec.structs.replace(diagnosis, departure=found)

    def _script(self) -> str:
        """The smallest failing case that fits into a script; "" if none does."""
        failing = [place for place, outcome in enumerate(self.outcomes) if outcome.failure]
        failing.sort(key=lambda place: len(self.cases.inputs(place).placed.memory))
        for place in failing:
            text = case_script(
                self.job,
                self.outcomes[place].result,
                self.cases.inputs(place),
                self.cases.expected(place),
                self.reference,
                self.backend,
            )
            if text:
                return text
        return ""

    def _keeps_state(self, diagnosis: Stage, place: int) -> Stage:
        """The diagnosis of a submission that is right in this case if it is loaded afresh."""
        result = self.outcomes[place].result
        message = f"{result.message}. Loaded afresh, your code is right here: it keeps {KEPT}"
        shown = msgspec.structs.replace(result, message=message)
        failing = sum(cause.cases for cause in diagnosis.causes)
        state = Cause(symptom=Symptom.STATE, cases=failing, when="", shown=shown)
        return msgspec.structs.replace(
            diagnosis, causes=(state,), mask=None, map=None, unexplained=False
        )


KEPT = "something from earlier calls that it should not use again"
