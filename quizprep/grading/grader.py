"""One grading from end to end: plan the job and have it judged."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from quizprep.content.exercises import Runtime
from quizprep.content.library import Exercise
from quizprep.grading import plan, wire
from quizprep.grading.pool import GraderFault, Pool
from quizprep.grading.verdict import Stage, Verdict

DEADLINE = {"numpy": 20.0, "torch": 20.0, "triton": 60.0}
"""Seconds that a submission may take for all its calls together. The judge's CPU time, and the time
that the submission waits for a processor, are added, up to three times the deadline in all."""

MEMORY = 1 << 29
"""Bytes of address space that a submission may use beyond its runtime's own."""


@dataclass(frozen=True)
class Submission:
    """The learner's file: its name and content."""

    name: str
    source: bytes


def new_seed() -> int:
    """A fresh secret seed; the report prints it afterwards."""
    return secrets.randbits(32)


class Grader:
    """Grades submissions, and caches the fixed cases of each exercise."""

    def __init__(
        self,
        pool: Pool,
        hidden: tuple[str, ...] = (),
        confine: bool = True,
        require_confinement: bool = False,
        deadline: float | None = None,
        brief: bool = False,
        search: float = 1.0,
        script: bool = False,
        target: int = 90,
        assemble: bool = False,
        by_line: bool = False,
    ) -> None:
        """A grader over the nurseries of ``pool``.

        hidden               folders that no submission may read
        confine              False for trusted content only
        require_confinement  do not run a submission that cannot be confined
        deadline             seconds for all calls of a submission; by default the runtime's own
        brief                end at the first failure and name no mistake, for callers that only ask
                             whether
                             a submission passes
        search               budget of the search for the line of a slip, as a multiple of the usual
                             one; 0 for callers that do not show it
        script               write the smallest failing case down as a script
        target               the compute capability for which kernels are compiled, as 90 for sm_90
        by_line              tell what each line costs, even where the cost is allowed
        assemble             make machine code as well, and say what it takes of the GPU
        """
        self._pool = pool
        self._hidden = hidden
        self._confine = confine
        self._require_confinement = require_confinement
        self._deadline = deadline
        self._brief = brief
        self._search = search
        self._script = script
        self._target = target
        self._assemble = assemble
        self._by_line = by_line
        self._fixed: dict[str, tuple[wire.Case, ...]] = {}

    def warm_up(self, exercise: Exercise) -> None:
        """Start importing the exercise's runtime in the background."""
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
        job = self._job(exercise, submission, seed)
        try:
            return nursery.grade(setup, job, progress)
        except GraderFault as fault:
            self._pool.drop(runtime)
            load = Stage(name="load", status="error", message=str(fault))
            return Verdict.of(exercise.id, seed, (load,), confined=False)
        except BaseException:
            self._pool.drop(runtime)
            raise

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
            entries=exercise.spec.entries,
            source=submission.source,
            file_name=submission.name,
            deadline=self._deadline or DEADLINE[runtime],
            confine=self._confine,
            memory_limit=MEMORY if runtime is Runtime.NUMPY else 2 * MEMORY,
            device=self._pool.device,
            hidden=(*self._hidden, str(exercise.folder.parent), str(exercise.solution.parent)),
        )

    def _job(self, exercise: Exercise, submission: Submission, seed: int) -> wire.Job:
        contract = exercise.spec.contract
        device = self._pool.device
        return wire.Job(
            exercise=exercise.id,
            folder=str(exercise.folder),
            solution=str(exercise.solution),
            spec=exercise.spec,
            measured=exercise.measured,
            seed=seed,
            cases=self.cases(exercise, seed),
            points=plan.cost_points(exercise.id, contract, seed),
            compared=plan.compared_points(contract, seed),
            # The GPU driver's hundreds of MiB in the process would hide the submission's memory.
            witness=None if device == "cuda" else plan.witness_point(contract, seed),
            require_confinement=self._require_confinement,
            device=device,
            brief=self._brief,
            search=self._search,
            script=self._script,
            source=submission.source,
            target=self._target,
            assemble=self._assemble,
            by_line=self._by_line,
            gpu=plan.gpu_cases(exercise.spec) if self._assemble else (),
        )
