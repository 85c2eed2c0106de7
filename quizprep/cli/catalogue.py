"""The commands around an exercise but for its grading: list, show, start, hint."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from quizprep.cli.options import command, exercises_option, library_in
from quizprep.content.library import Exercise, path_order
from quizprep.errors import QuizprepError, UsageError
from quizprep.store import Store

THEME = "ansi_dark"
"""The terminal's own colours, so that code is readable on its background."""


@click.command("list")
@exercises_option
def list_command(folder: Path | None) -> None:
    """What there is: topics, and exercises in the order in which to take them."""
    library = library_in(folder)
    with Store.open() as store:
        passed = {attempt.exercise for attempt in store.attempts() if attempt.passed}
    # Read before anything is printed: what does not load is told alone.
    exercises = path_order(library.exercises)
    if folder is None and library.banks:
        click.echo("Topics, for quizprep ask")
        _print_table(
            [
                (topic, _count(len(bank.questions), "question"), bank.title)
                for topic, bank in library.banks.items()
            ]
        )
        click.echo()
    click.echo("Exercises, in a sensible order")
    _print_table(
        [
            (
                exercise.id,
                exercise.spec.level.value,
                f"{exercise.spec.minutes} min",
                exercise.spec.runtime.value,
                "passed" if exercise.id in passed else "",
                exercise.spec.title,
            )
            for exercise in exercises
        ]
    )


@click.command()
@click.argument("exercise")
@click.option("--solution", is_flag=True, help="Show the solution, once you have passed.")
@click.option(
    "--give-up", is_flag=True, help="Show the solution without having passed; it is recorded."
)
@exercises_option
def show(exercise: str, solution: bool, give_up: bool, folder: Path | None) -> None:
    """The task of an exercise."""
    found = library_in(folder).exercise(exercise)
    if not (solution or give_up):
        _print_markdown(found.text("README.md"))
        return
    with Store.open() as store:
        _permit_solution(found, store, give_up, folder)
    _print_python(found.solution.read_text(encoding="utf-8"))


@click.command()
@click.argument("exercise")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@exercises_option
def start(exercise: str, file: Path | None, folder: Path | None) -> None:
    """Copy an exercise's starter to FILE (by default into this folder).

    A file that exists is never touched.
    """
    found = library_in(folder).exercise(exercise)
    target = _target(found, file)
    _write_new(target, found.text("starter.py"))
    path = shlex.quote(str(target))
    click.echo(f"Wrote {target}.")
    click.echo(f"Read the task:  {command('show', found, folder)}")
    click.echo(f"When it is done:  {command('grade', found, folder)} {path}")
    click.echo(f"When you are stuck:  {command('hint', found, folder)}")


@click.command()
@click.argument("exercise")
@exercises_option
def hint(exercise: str, folder: Path | None) -> None:
    """The next hint for an exercise; hints count in its rating."""
    found = library_in(folder).exercise(exercise)
    with Store.open() as store:
        seen = store.hints_shown(found.id)
        if seen < len(found.spec.hints):
            store.show_hint(found.id)
    if seen < len(found.spec.hints):
        _print_hint(found, seen)
        return
    click.echo(f"There are no more hints for {found.id}. You have seen these:")
    for place in range(len(found.spec.hints)):
        click.echo()
        _print_hint(found, place)


# --- the steps ---------------------------------------------------------------------------------


def _permit_solution(exercise: Exercise, store: Store, give_up: bool, folder: Path | None) -> None:
    """Return if the solution may be shown; raises QuizprepError if it has to be earned first.

    Giving up is recorded as an attempt that did not pass, once.
    """
    attempts = store.attempts(exercise.id)
    if any(a.passed or json.loads(a.verdict_json).get("gave_up") for a in attempts):
        return
    if not give_up:
        raise QuizprepError(
            f"The solution of {exercise.id} is shown once you have passed it.",
            hint=f"Stuck? {command('hint', exercise, folder)}\n"
            f"To see it all the same: {command('show', exercise, folder)} --give-up (this is "
            "recorded)",
        )
    verdict = {"format": 1, "exercise": exercise.id, "passed": False, "gave_up": True, "stages": []}
    store.record_attempt(exercise.id, False, (), json.dumps(verdict), datetime.now(UTC))


def _target(exercise: Exercise, file: Path | None) -> Path:
    name = f"{exercise.id}.py"
    if file is None:
        return Path(name)
    return file / name if file.is_dir() else file


def _write_new(target: Path, text: str) -> None:
    """Create a file; raises UsageError if it exists or its folder does not."""
    if not target.parent.is_dir():
        raise UsageError(
            f"There is no folder {target.parent}.", hint="Create it first, or name another file."
        )
    try:
        with target.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise UsageError(
            f"{target} exists already; it was left as it is.",
            hint="Name another file: quizprep start EXERCISE FILE",
        ) from error
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}.") from error


# --- the terminal ------------------------------------------------------------------------------


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _print_hint(exercise: Exercise, place: int) -> None:
    hints = exercise.spec.hints
    click.echo(f"Hint {place + 1} of {len(hints)}")
    click.echo(
        click.wrap_text(
            hints[place].strip(), width=_width(), initial_indent="  ", subsequent_indent="  "
        )
    )


def _width() -> int:
    return min(shutil.get_terminal_size().columns, 80)


def _print_table(rows: list[tuple[str, ...]]) -> None:
    """Columns that line up; the last one moves to a line of its own where it does not fit."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for *cells, last in rows:
        line = "  " + "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=False))
        if sum(widths) + 2 * len(widths) > _width():
            click.echo(line.rstrip())
            click.echo(click.wrap_text(last, _width(), "      ", "      "))
        else:
            click.echo(f"{line}  {last}")


def _print_markdown(text: str) -> None:
    """Set for a terminal; as it is in a pipe."""
    if not sys.stdout.isatty():
        click.echo(text, nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text, code_theme=THEME))


def _print_python(text: str) -> None:
    """With colours on a terminal; as it is in a pipe."""
    if not sys.stdout.isatty():
        click.echo(text, nl=False)
        return
    from rich.console import Console
    from rich.syntax import Syntax

    Console().print(Syntax(text, "python", theme=THEME))
