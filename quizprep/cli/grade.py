"""``quizprep grade``: the learner's file in, a verdict out."""

from __future__ import annotations

from pathlib import Path

import click

from quizprep.cli.options import command, exercises_option, library_in, writing
from quizprep.cli.predict import ask_predictions, show_predictions
from quizprep.cli.terminal import Terminal, status
from quizprep.cli.watch import watch
from quizprep.content.library import Exercise, Library, shipped_root
from quizprep.errors import ExitCode, UsageError
from quizprep.grading import report
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.loop import store_attempt, topics_behind
from quizprep.grading.pool import Pool
from quizprep.grading.verdict import Verdict
from quizprep.grading.wire import Progress
from quizprep.quiz import times
from quizprep.store import Store, default_home

MAX_SOURCE = 1 << 20
"""Bytes of a submission; more than a person writes."""


@click.command()
@click.argument("exercise")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--watch", "watching", is_flag=True, help="Grade again after every save.")
@click.option("--predict", is_flag=True, help="Say the cost before it is measured.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
@click.option("--junit", type=click.Path(path_type=Path), help="Also write JUnit XML to a file.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Repeat the cases of a report.")
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    help="Run your code on a GPU; unchecked.",
)
@click.option(
    "--require-confinement", is_flag=True, help="Refuse to run code that cannot be confined."
)
@exercises_option
def grade(
    exercise: str,
    file: Path | None,
    watching: bool,
    predict: bool,
    as_json: bool,
    junit: Path | None,
    seed: int | None,
    device: str,
    require_confinement: bool,
    folder: Path | None,
) -> int:
    """Grade your solution of EXERCISE: correctness, the mistake by name, its cost as a formula.

    FILE is ./EXERCISE.py unless you name another.
    """
    if as_json and (watching or predict):
        raise UsageError("--json prints one verdict; it does not go with --watch or --predict.")
    library = library_in(folder)
    task = library.exercise(exercise)
    path = file or Path(f"{task.id}.py")
    if not watching:
        read_submission(path, command("start", task, folder))
    terminal = Terminal()
    if device == "cuda" and task.spec.runtime == "numpy":
        raise UsageError(f"{task.id} is written in numpy, which has no GPU.")
    with Pool(device) as pool:
        grader = Grader(pool, hidden_folders(library), require_confinement=require_confinement)
        # The nursery starts to import torch while this process opens its store.
        grader.warm_up(task)
        with Store.open() as store:

            def once() -> Verdict:
                submission = read_submission(path, command("start", task, folder))
                predictions = ask_predictions(task.spec.contract, terminal) if predict else {}
                verdict = grader.grade(task, submission, seed, None if as_json else _show)
                status()
                store_attempt(store, verdict, times.now())
                if junit is not None:
                    with writing(junit):
                        junit.write_text(report.to_junit(verdict), encoding="utf-8")
                if as_json:
                    click.echo(report.to_json(verdict))
                else:
                    print_verdict(terminal, verdict, topics_behind(verdict))
                    show_predictions(predictions, verdict, task.spec.contract, terminal)
                return verdict

            if not watching:
                return exit_code(once())
            last: list[Verdict] = []

            def again() -> None:
                try:
                    last[:] = [once()]
                except UsageError as error:
                    terminal.say(error.message, "red")  # the file was removed in between

            def hint() -> None:
                terminal.say(next_hint(store, task, command("hint", task, folder)))

            try:
                watch(path, again, hint)
            except KeyboardInterrupt:
                terminal.say()
            return exit_code(last[0]) if last else ExitCode.NOT_PASSED


def read_submission(path: Path, begin: str) -> Submission:
    """Read the learner's file; raises UsageError, which says how to begin, if there is none."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder.", hint="Name the Python file in it.")
    try:
        if path.exists() and not path.is_file():
            # Opening a pipe would wait for its other end.
            raise UsageError(f"{path} is not a regular file.", hint="Name a Python source file.")
        if path.stat().st_size > MAX_SOURCE:
            raise UsageError(f"{path} is larger than 1 MiB.", hint="Name a Python source file.")
        return Submission(path.name, path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}.", hint=f"Begin with: {begin}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def hidden_folders(library: Library) -> tuple[str, ...]:
    """The folders that no submission may read: all answers, and what the program stores."""
    roots = {library.root.resolve(), shipped_root()}
    folders = [root / name for root in roots for name in ("exercises", "solutions", "questions")]
    return (*(str(folder) for folder in folders), str(default_home()))


def next_hint(store: Store, task: Exercise, again: str) -> str:
    """Count and return the next hint, or say that there are no more and how to see them again."""
    if store.hints_shown(task.id) >= len(task.spec.hints):
        return f"There are no more hints; {again} shows them again."
    number = store.show_hint(task.id, times.now())
    return f"Hint {number} of {len(task.spec.hints)}: {task.spec.hints[number - 1].strip()}"


def print_verdict(terminal: Terminal, verdict: Verdict, topics: tuple[str, ...]) -> None:
    """Print the report, to a terminal or into a pipe."""
    for line in report.lines(verdict, topics):
        terminal.say(line.text, line.style, line.indent)


def exit_code(verdict: Verdict) -> int:
    """The exit code: 0 passed, 1 not passed, 4 if the grader itself failed."""
    if any(stage.status == "error" for stage in verdict.stages):
        return ExitCode.INTERNAL
    return ExitCode.PASSED if verdict.passed else ExitCode.NOT_PASSED


def _show(progress: Progress) -> None:
    status(f"{progress.stage} {progress.done}/{progress.total} ")
