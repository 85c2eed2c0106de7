"""One grading from end to end: plan the job, have it judged, hold the costs to the contract."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from quizprep.content.exercises import Runtime
from quizprep.content.library import Exercise
from quizprep.formula import parse
from quizprep.grading import plan, wire
from quizprep.grading.beside import beside_solution
from quizprep.grading.contract import judge_readings, judge_witness, name_cost_mistakes
from quizprep.grading.pool import GraderFault, Pool
from quizprep.grading.verdict import (
    CaseVerdict,
    NamedMistake,
    ReadingVerdict,
    Stage,
    Verdict,
    WitnessVerdict,
)

DEADLINE = {"numpy": 20.0, "torch": 20.0, "triton": 60.0}
"""Seconds a submission may take for everything it is asked. What the judge works, and what the
submission waits for a processor, comes on top, up to three times as many in all."""

MEMORY = 1 << 29
"""Bytes of address space a submission may take beyond its runtime's own."""

STRAYS = {
    "mask": NamedMistake(
        id="lanes_without_an_element",
        says="Lanes of your kernel read or write where a tensor has no element. A tile that "
        "sticks out of a tensor needs a mask on its loads and on its stores.",
        concept="kernel-masking",
    ),
    "strides": NamedMistake(
        id="strides_not_used",
        says="Your kernel reads or writes between the elements of an input, as if they lay side "
        "by side. An element is at the sum of its indices times their strides.",
        concept="strides",
    ),
}
"""What accesses of a kernel without an element are called; every Triton exercise may see them."""


@dataclass(frozen=True)
class Submission:
    """The learner's file, read."""

    name: str
    source: bytes


def new_seed() -> int:
    """A fresh secret seed; the report prints it."""
    return secrets.randbits(32)


class Grader:
    """Grades submissions; keeps what the next grading of the same exercise can use again."""

    def __init__(
        self,
        pool: Pool,
        hidden: tuple[str, ...] = (),
        confine: bool = True,
        require_confinement: bool = False,
        deadline: float | None = None,
        brief: bool = False,
    ) -> None:
        """hidden are folders that no submission may read; confine=False is for content that is
        trusted. With require_confinement a submission that cannot be confined is not run.
        deadline is in seconds, for everything that one submission is asked; by default the
        runtime's own. A brief grading ends at the first failure and names no mistake: it is
        for those who only ask whether a submission passes."""
        self._pool = pool
        self._hidden = hidden
        self._confine = confine
        self._require_confinement = require_confinement
        self._deadline = deadline
        self._brief = brief
        self._fixed: dict[str, tuple[wire.Case, ...]] = {}

    def warm_up(self, exercise: Exercise) -> None:
        """Start importing the exercise's runtime."""
        self._pool.nursery(exercise.spec.runtime)

    def grade(
        self,
        exercise: Exercise,
        submission: Submission,
        seed: int | None = None,
        progress: Callable[[wire.Progress], None] | None = None,
    ) -> Verdict:
        """The verdict on a submission. A fault of ours is a stage with status error."""
        seed = new_seed() if seed is None else seed
        runtime = exercise.spec.runtime
        nursery = self._pool.nursery(runtime)
        setup = self._setup(exercise, submission)
        job = self._job(exercise, seed)
        try:
            result = nursery.grade(setup, job, progress)
        except GraderFault as fault:
            self._pool.drop(runtime)
            return _faulted(exercise, seed, str(fault))
        except BaseException:
            self._pool.drop(runtime)
            raise
        return verdict(exercise, seed, result)

    def cases(self, exercise: Exercise, seed: int) -> tuple[wire.Case, ...]:
        """The correctness cases of a grading with this seed."""
        if exercise.id not in self._fixed:
            self._fixed[exercise.id] = plan.fixed_cases(exercise.id, exercise.spec)
        return (*self._fixed[exercise.id], *plan.fresh_cases(exercise.spec, seed))

    def _setup(self, exercise: Exercise, submission: Submission) -> wire.Setup:
        runtime = exercise.spec.runtime
        return wire.Setup(
            exercise=sha256(str(exercise.folder).encode()).hexdigest(),
            runtime=runtime,
            entries=(exercise.spec.entry, *exercise.spec.also),
            source=submission.source,
            file_name=submission.name,
            deadline=self._deadline or DEADLINE[runtime],
            confine=self._confine,
            memory_limit=MEMORY if runtime is Runtime.NUMPY else 2 * MEMORY,
            device=self._pool.device,
            hidden=(*self._hidden, str(exercise.folder.parent), str(exercise.solution.parent)),
        )

    def _job(self, exercise: Exercise, seed: int) -> wire.Job:
        spec = exercise.spec
        contract = spec.contract
        points = plan.cost_points(exercise.id, contract, seed)
        limits = contract.limits()
        bounds = {}
        for meter, limit in limits.items():
            growth = parse(limit.growth or limit.exact or "1").expand()
            # A contract that asks for 0 is a constant here: measured growth is a quotient.
            bounds[meter] = tuple(
                float(growth.evaluate({s: int(p.params[s] or 0) for s in contract.sizes})) or 1.0
                for p in points
            )
        return wire.Job(
            exercise=exercise.id,
            folder=str(exercise.folder),
            solution=str(exercise.solution),
            runtime=spec.runtime,
            entries=(spec.entry, *spec.also),
            returns=dict(spec.returns),
            cases=self.cases(exercise, seed),
            points=points,
            symbols=tuple(contract.sizes),
            tiles=dict(contract.tiles),
            meters=tuple(limits),
            bounds=bounds,
            budgets={meter: limit.budget or 1.0 for meter, limit in limits.items()},
            comparisons=plan.comparisons(contract, seed),
            # A process that uses a GPU keeps hundreds of MiB of its driver's.
            witness=None if self._pool.device == "cuda" else plan.witness_point(contract, seed),
            cost_dtype=spec.cases.dtypes[0],
            guards=spec.cases.guards,
            require_confinement=self._require_confinement,
            device=self._pool.device,
            brief=self._brief,
        )


def verdict(exercise: Exercise, seed: int, result: wire.JudgeResult) -> Verdict:
    """The verdict that a judge's result amounts to."""
    load = Stage(
        name="load",
        status=result.load.status,
        message=result.load.message,
        raised=result.load.raised,
    )
    stages = [load, *_later_stages(exercise, result)]
    return Verdict(
        exercise=exercise.id,
        passed=all(stage.status == "pass" for stage in stages if stage.name != "diagnosis"),
        confined=not result.unconfined,
        unconfined=result.unconfined,
        seed=seed,
        stages=tuple(stages),
        printed=result.printed,
    )


def _later_stages(exercise: Exercise, result: wire.JudgeResult) -> list[Stage]:
    if result.load.status != "pass":
        return [Stage(name=name, status="skip") for name in ("correctness", "diagnosis", "cost")]
    cases = tuple(msgspec.convert(msgspec.to_builtins(c), CaseVerdict) for c in result.cases)
    failed = [case for case in cases if case.status == "fail"]
    correctness = Stage(
        name="correctness",
        status="fail" if failed else "pass",
        message=f"{len(failed)} of {len(cases)} cases fail" if failed else f"{len(cases)} cases",
        cases=cases,
    )
    if failed:
        return [correctness, _diagnosis(exercise, result), Stage(name="cost", status="skip")]
    assert result.cost is not None
    cost = _cost(exercise, result.cost)
    mistakes: tuple[NamedMistake, ...] = ()
    if cost.status == "fail":
        mistakes = name_cost_mistakes(result.cost, exercise.spec.contract)
    diagnosis = Stage(name="diagnosis", status="pass" if mistakes else "skip", mistakes=mistakes)
    return [correctness, diagnosis, cost]


def _diagnosis(exercise: Exercise, result: wire.JudgeResult) -> Stage:
    found = result.diagnosis or wire.DiagnosisResult()
    mistakes = [NamedMistake(id=m.id, says=m.says, concept=m.concept) for m in found.mistakes]
    stray = STRAYS.get(found.stray)
    # Seen, and not concluded from outputs; where a mistake of the exercise says it, once.
    if stray and stray.concept in {*exercise.spec.concepts} - {m.concept for m in mistakes}:
        mistakes.append(stray)
    return Stage(
        name="diagnosis",
        status="pass",
        where=found.where,
        unexplained=found.unexplained,
        mistakes=tuple(mistakes),
    )


def _cost(exercise: Exercise, cost: wire.CostResult) -> Stage:
    if cost.status != "pass":
        return Stage(name="cost", status=cost.status, message=cost.message)
    readings: tuple[ReadingVerdict, ...] = judge_readings(cost, exercise.spec.contract)
    readings = beside_solution(readings, exercise.measured, exercise.spec.contract)
    witness: WitnessVerdict | None = judge_witness(cost, exercise.spec.contract)
    bad = [reading for reading in readings if reading.status == "fail"]
    failed = bool(bad) or (witness is not None and witness.status == "fail")
    return Stage(
        name="cost", status="fail" if failed else "pass", readings=readings, witness=witness
    )


def _faulted(exercise: Exercise, seed: int, message: str) -> Verdict:
    names = ("load", "correctness", "diagnosis", "cost")
    return Verdict(
        exercise=exercise.id,
        passed=False,
        confined=False,
        seed=seed,
        stages=tuple(
            Stage(name=name, status="error", message=message)
            if name == "load"
            else Stage(name=name, status="skip")
            for name in names
        ),
    )
