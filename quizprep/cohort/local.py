"""Grading on the cores of this machine: a thread a core, each with nurseries of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cache
from queue import SimpleQueue

from quizprep.cohort.results import Key
from quizprep.content.library import Exercise, Library
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool
from quizprep.grading.submission import hidden_folders
from quizprep.grading.verdict import Verdict

TRIES = 2
"""How often a submission is graded while the grader itself fails. What a submission does is a
verdict, and is never tried again."""

_ORDER = {"triton": 0, "torch": 1, "numpy": 2}
"""Slow gradings first, so that no core is left with a long one at the end."""


@dataclass(frozen=True)
class Task:
    """One grading."""

    key: Key
    source: bytes


@dataclass(frozen=True)
class Outcome:
    """The verdict of a task."""

    task: Task
    verdict: Verdict


def in_order(tasks: Sequence[Task], library: Library) -> list[Task]:
    """By runtime and exercise, so that a process imports one runtime after the other."""
    runtimes = {
        name: library.exercise(name).spec.runtime for name in {t.key.exercise for t in tasks}
    }
    return sorted(tasks, key=lambda task: (_ORDER[runtimes[task.key.exercise]], task.key.exercise))


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Examiner:
    """Grades one submission after the other in one thread, with one runtime loaded at a time."""

    def __init__(self, library: Library, require_confinement: bool) -> None:
        self._pool = Pool()
        self._exercise = cache(library.exercise)
        self._runtime = ""
        hidden = hidden_folders(library)
        self._grader = Grader(self._pool, hidden, require_confinement=require_confinement)

    def grade(self, name: str, source: bytes) -> Verdict:
        """The verdict; a fault of ours is tried again."""
        exercise = self._exercise(name)
        if exercise.spec.runtime != self._runtime:
            self._pool.drop(self._runtime)
            self._runtime = exercise.spec.runtime
        return _graded(self._grader, exercise, Submission(f"{exercise.id}.py", source))

    def close(self) -> None:
        """End the processes that grade."""
        self._pool.drop(self._runtime)

    def stop(self) -> None:
        """End them while another thread grades; that grading and later ones fail."""
        self._pool.stop()


def _graded(grader: Grader, exercise: Exercise, submission: Submission) -> Verdict:
    for _ in range(TRIES - 1):
        verdict = grader.grade(exercise, submission)
        if not verdict.faulty:
            return verdict
    return grader.grade(exercise, submission)


def run(
    tasks: Sequence[Task],
    library: Library,
    workers: int,
    require_confinement: bool = False,
) -> Generator[Outcome, None, None]:
    """The verdicts as they come, in any order.

    workers  how many gradings run at once

    A caller that leaves early, as at Ctrl-C, ends the gradings that run.
    """
    waiting: SimpleQueue[Task | None] = SimpleQueue()
    done: SimpleQueue[Outcome | BaseException] = SimpleQueue()
    for task in in_order(tasks, library):
        waiting.put(task)
    examiners = [Examiner(library, require_confinement) for _ in range(min(workers, len(tasks)))]

    def work(examiner: Examiner) -> None:
        try:
            while (task := waiting.get()) is not None:
                done.put(Outcome(task, examiner.grade(task.key.exercise, task.source)))
        except BaseException as error:
            done.put(error)
        finally:
            examiner.close()

    threads = [threading.Thread(target=work, args=(each,), daemon=True) for each in examiners]
    for thread in threads:
        waiting.put(None)
        thread.start()
    finished = False
    try:
        for _ in tasks:
            outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
        finished = True
    finally:
        for examiner in examiners:
            if not finished:
                examiner.stop()
        for thread in threads:
            thread.join()
