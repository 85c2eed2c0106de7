"""A run over a group: what is new is graded and kept, everything is looked up again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from quizprep.cohort import cluster, local
from quizprep.cohort.local import Outcome, Task
from quizprep.cohort.results import Key, Results, content_sum, key_of
from quizprep.cohort.submissions import HandedIn, Refused, Scan, Unreadable, read
from quizprep.content.library import Library
from quizprep.errors import QuizprepError
from quizprep.grading.verdict import Verdict
from quizprep.quiz import times
from quizprep.text import printable


@dataclass(frozen=True)
class Settings:
    """How a run grades.

    workers    gradings at once on this machine
    scheduler  the address of a Dask scheduler, to grade on its workers instead
    """

    workers: int
    scheduler: str | None = None
    require_confinement: bool = False


@dataclass(frozen=True)
class Plan:
    """What is handed in, and what of it is still to grade.

    keys   the key of every submission, by student and exercise
    tasks  one for each key without a result; equal files are graded once
    """

    keys: dict[tuple[str, str], Key]
    tasks: tuple[Task, ...]
    refused: tuple[Refused, ...]


@dataclass
class Run:
    """A run that goes on: how many of its gradings are done, and how many failed by our fault."""

    total: int
    done: int = 0
    faults: list[str] = field(default_factory=list)


def plan(scanned: Scan, folder: Path, library: Library, results: Results) -> Plan:
    """Read every file once, note it as seen, and find out which are still to grade."""
    contents: dict[str, str] = {}
    keys: dict[tuple[str, str], Key] = {}
    sources: dict[Key, bytes] = {}
    refused = list(scanned.refused)
    for each in scanned.handed_in:
        try:
            source = read(folder, each.file)
        except Unreadable as error:
            refused.append(Refused(printable(each.file), str(error)))
            continue
        if each.exercise not in contents:
            contents[each.exercise] = content_sum(library.exercise(each.exercise))
        key = key_of(source, each.exercise, contents[each.exercise])
        keys[_place(each)] = key
        sources.setdefault(key, source)
    results.handed_in([(*place, key.submission) for place, key in keys.items()], times.now())
    known = results.known(sources)
    tasks = tuple(Task(key, source) for key, source in sources.items() if key not in known)
    return Plan(keys, tasks, tuple(refused))


def grade(
    planned: Plan,
    library: Library,
    results: Results,
    settings: Settings,
    progress: Callable[[Run], None],
) -> Run:
    """Grade what is left; each verdict is kept before the next is counted.

    Raises QuizprepError for a system that cannot confine, if it should: that is no student's
    failure, so nothing of it is kept.
    """
    run = Run(len(planned.tasks))
    # Closed at once if this is left early, which ends the gradings that run.
    with closing(_outcomes(planned, library, settings)) as outcomes:
        for outcome in outcomes:
            verdict = outcome.verdict
            if settings.require_confinement and (parts := verdict.unconfined):
                missing = "; ".join(parts)
                raise QuizprepError(
                    f"Nothing is run, because it cannot be confined: {missing} is missing.",
                    hint="Grade on another system, or without --require-confinement.",
                )
            results.add(outcome.task.key, verdict, times.now())
            run.done += 1
            if verdict.faulty:
                messages = (s.message for s in verdict.stages if s.status == "error")
                run.faults.append(f"{outcome.task.key.exercise}: {next(messages)}")
            progress(run)
    return run


def verdicts(planned: Plan, results: Results) -> dict[tuple[str, str], Verdict | None]:
    """The verdict on every submission; None where there is none yet."""
    return {place: results.verdict(key) for place, key in planned.keys.items()}


def _outcomes(
    planned: Plan, library: Library, settings: Settings
) -> Generator[Outcome, None, None]:
    if not planned.tasks:
        return
    confined = settings.require_confinement
    if settings.scheduler is not None:
        yield from cluster.run(planned.tasks, library, settings.scheduler, confined)
    else:
        yield from local.run(planned.tasks, library, settings.workers, confined)


def _place(each: HandedIn) -> tuple[str, str]:
    return each.student, each.exercise
