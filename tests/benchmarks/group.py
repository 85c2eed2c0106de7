"""A course: 200 submissions on all cores, against the same gradings one after the other."""

from __future__ import annotations

import time

from quizprep.cohort.local import Examiner, Task, cores, run
from quizprep.cohort.results import Key
from quizprep.content.library import Library

EXERCISES = ("softmax", "causal_mask", "flash_forward", "kv_cache")
SUBMISSIONS = 200
EFFICIENCY = 0.85
"""The part of what the cores could do that a run reaches."""


def share_of_the_cores(library: Library) -> float:
    """The time of a run over the time that warm gradings would take if they shared the cores
    evenly; starting the processes that grade is part of the run, and not of these gradings."""
    sources = {name: library.exercise(name).solution.read_bytes() for name in EXERCISES}
    warm = 0.0
    examiner = Examiner(library, require_confinement=False)
    for name, source in sources.items():
        examiner.grade(name, source)
        start = time.perf_counter()
        for _ in range(rounds := SUBMISSIONS // len(EXERCISES) // 10):
            examiner.grade(name, source)
        warm += (time.perf_counter() - start) / rounds
    examiner.close()
    tasks = [
        Task(Key(str(number), name, "", ""), sources[name])
        for number in range(SUBMISSIONS)
        for name in (EXERCISES[number % len(EXERCISES)],)
    ]
    start = time.perf_counter()
    passed = sum(outcome.verdict.passed for outcome in run(tasks, library, cores()))
    taken = time.perf_counter() - start
    assert passed == SUBMISSIONS
    return taken / (warm * SUBMISSIONS / len(EXERCISES) / cores())
