"""What the solution costs, read by the same meters in the judge's process."""

from __future__ import annotations

import time
from collections.abc import Sequence

from quizprep.content.exercises import Runtime
from quizprep.grading import wire
from quizprep.worker.arena import PlacedInputs
from quizprep.worker.backends import Array, Backend
from quizprep.worker.judge.exercise_files import Reference, load_solution
from quizprep.worker.judge.phase_readings import LocalMeters, Readings
from quizprep.worker.judge.script import LocalApi, collect
from quizprep.worker.learner.instruments import Instruments

NEEDED_WORK = "needed_work"
"""The reading of all arithmetic that the reference of a Triton exercise does."""


def solution_readings(
    job: wire.Job,
    reference: Reference,
    backend: Backend,
    placed: PlacedInputs,
    meters: Sequence[str],
) -> Readings:
    """The readings of the solution on these inputs."""
    entries = load_solution(job.solution, job.spec.entries)
    instruments = Instruments(job.spec.runtime)
    if reference.cost is not None:
        session = instruments.session()
        local = LocalMeters(
            lambda function, args: instruments.measure(function, args, "session", backend, session)
        )
        metered = {name: local.metered(entry) for name, entry in entries.items()}
        collect(reference.cost(LocalApi(metered, local.phase), *placed.views(backend)))
        return local.readings.by_meter()
    entry = entries[job.spec.entry]
    readings: Readings = {}
    for meter in meters:
        args = placed.views(backend)
        _, found = instruments.measure(entry, args, meter, backend)
        for name, value in found.items():
            readings[name] = max(value, readings.get(name, 0))
    if job.spec.runtime is Runtime.TRITON:
        plain = Instruments(Runtime.TORCH)
        _, found = plain.measure(reference.solve, placed.views(backend), "dispatch", backend)
        readings[NEEDED_WORK] = found["flops"] + found["elementwise"]
    return readings


def solution_time(job: wire.Job, args: Sequence[Array]) -> int:
    """CPU time of the solution in nanoseconds, at least one."""
    entry = load_solution(job.solution, job.spec.entries)[job.spec.entry]
    before = time.process_time_ns()
    entry(*args)
    return max(time.process_time_ns() - before, 1)
