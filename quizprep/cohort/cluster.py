"""Grading on Dask workers, with the same results as on this machine.

A worker never runs a submission itself: it starts a nursery, as ``quizprep grade`` does, which
forks a confined child for each grading. What a submission does to its process is a verdict; if a
worker is lost all the same, the grading that it held is tried elsewhere.

This process hands out one grading for each thread of the workers and no more, whatever the
scheduler's ``worker-saturation`` is: a worker that dies takes at most the gradings that it runs
with it, and the scheduler blames no other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from quizprep import __version__
from quizprep.cohort.local import TRIES, Examiner, Outcome, Task, in_order
from quizprep.cohort.results import Key, content_sum
from quizprep.content.library import Library, shipped_root
from quizprep.errors import MissingExtraError, QuizprepError
from quizprep.grading.verdict import Stage, Verdict

CONNECT_SECONDS = "10s"
WORKER_SECONDS = "60s"

_threads = threading.local()
"""On a worker: the examiner of each thread, by library and options."""


class OtherProgram(Exception):
    """A worker would grade by other rules than this process: another version or other files."""


def run(
    tasks: Sequence[Task],
    library: Library,
    scheduler: str,
    require_confinement: bool = False,
) -> Generator[Outcome, None, None]:
    """The verdicts as they come, in any order; raises QuizprepError if the scheduler cannot be
    reached or is lost.

    scheduler  its address, such as ``tcp://10.0.0.1:8786``
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("Grading on a cluster", "cohort") from error
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise QuizprepError(
            f"There is no Dask scheduler at {scheduler}: {error}.",
            hint="Start one with: dask scheduler",
        ) from error
    try:
        with client:
            _wait_for_a_worker(client, scheduler)
            yield from _outcomes(client, tasks, library, require_confinement)
    except (OSError, CancelledError) as error:
        raise QuizprepError(
            f"The scheduler {scheduler} is gone.",
            hint="Every result so far is kept: start it, then run the same command again.",
        ) from error


def _wait_for_a_worker(client: Any, scheduler: str) -> None:
    """Raise QuizprepError if no worker comes; later ones may come and go."""
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as error:
        raise QuizprepError(
            f"The scheduler {scheduler} has no workers.",
            hint=f"Start some: dask worker {scheduler} --nthreads 1",
        ) from error


def _outcomes(
    client: Any, tasks: Sequence[Task], library: Library, require_confinement: bool
) -> Generator[Outcome, None, None]:
    """The verdicts as they come; raises OSError or CancelledError if the scheduler is lost."""
    from distributed import as_completed

    # Workers have the shipped library themselves; another one is on a disk that all share.
    root = None if library.root.resolve() == shipped_root() else str(library.root.resolve())
    waiting = deque((task, 1) for task in in_order(tasks, library))
    running: dict[Any, tuple[Task, int]] = {}
    completed = as_completed(raise_errors=False)

    def hand_out() -> None:
        room = max(1, sum(client.nthreads().values()))
        while waiting and len(running) < room:
            task, tried = waiting.popleft()
            arguments = (tuple(task.key), task.source, root, require_confinement)
            future = client.submit(grade_here, *arguments, pure=False)
            running[future] = task, tried
            completed.add(future)

    hand_out()
    for future in completed:
        task, tried = running.pop(future)
        if future.status == "finished":
            yield Outcome(task, Verdict.parse(future.result()))
        elif future.status != "error":
            raise CancelledError
        else:
            failure = future.exception()
            if isinstance(failure, OtherProgram):
                hint = "Install the same quizprep on all workers."
                raise QuizprepError(str(failure), hint)
            if tried < TRIES:
                waiting.appendleft((task, tried + 1))
            else:
                yield Outcome(task, _fault(task, failure))
        hand_out()


def grade_here(
    key: tuple[str, str, str, str],
    source: bytes,
    root: str | None,
    require_confinement: bool,
) -> bytes:
    """On a worker: the verdict on a submission, as JSON; raises OtherProgram."""
    wanted = Key(*key)
    settings = (root, require_confinement)
    if getattr(_threads, "settings", None) != settings:
        if hasattr(_threads, "examiner"):
            _threads.examiner.close()
        library = Library(Path(root)) if root else Library()
        _threads.examiner = Examiner(library, require_confinement)
        _threads.library = library
        _threads.settings = settings
    here = content_sum(_threads.library.exercise(wanted.exercise))
    if (here, __version__) != (wanted.content, wanted.program):
        raise OtherProgram(
            f"A worker has quizprep {__version__} with other files of {wanted.exercise} than here."
        )
    verdict: Verdict = _threads.examiner.grade(wanted.exercise, source)
    return verdict.json()


def _fault(task: Task, error: object) -> Verdict:
    stage = Stage(name="load", status="error", message=f"{type(error).__name__}: {error}")
    return Verdict.of(task.key.exercise, 0, (stage,), confined=False)
