"""The commands around an exercise, apart from grading it: list, show, start, hint."""

from __future__ import annotations

from pathlib import Path

import click

from quizprep.cli.options import command, exercise_argument, exercises_option, library_in, quoted
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Exercise, Library, path_order
from quizprep.errors import QuizprepError, UsageError
from quizprep.quiz import times
from quizprep.store import Store
from quizprep.text import counted, printable


@click.command("list")
@click.option("--concepts", is_flag=True, help="List the concepts by topic instead.")
@exercises_option
def list_command(concepts: bool, folder: Path | None) -> None:
    """List the topics, and the exercises in the order in which to take them."""
    library = library_in(folder, cached=True)
    if concepts:
        _list_concepts(library)
        return
    with Store.open() as store:
        passed = {attempt.exercise for attempt in store.attempts() if attempt.passed}
    # Read before anything is printed, so that an error stands alone.
    exercises = path_order(library.exercises)
    terminal = Terminal()
    if folder is None and library.banks:
        terminal.say("Topics, for quizprep ask")
        terminal.table(
            [
                (topic, counted(len(bank.questions), "question"), bank.title)
                for topic, bank in library.banks.items()
            ]
        )
        terminal.say()
    terminal.say("Exercises, in a sensible order")
    terminal.table(
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


def _list_concepts(library: Library) -> None:
    """Print every concept under its topic, with the name that ``ask`` and ``search`` take."""
    terminal = Terminal()
    for topic, bank in library.banks.items():
        terminal.heading(bank.title)
        terminal.table(
            [(id, library.concepts[id].title) for id in sorted(library.concepts_of(topic))]
        )


@click.command()
@exercise_argument
@click.option("--solution", is_flag=True, help="Show the solution, once you have passed.")
@click.option(
    "--diff",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With the solution: show how it differs from your FILE.",
)
@click.option(
    "--give-up", is_flag=True, help="Show the solution without having passed; this is recorded."
)
@exercises_option
def show(
    exercise: str, solution: bool, diff: Path | None, give_up: bool, folder: Path | None
) -> None:
    """Show the task of an exercise."""
    found = library_in(folder, cached=True).exercise(exercise)
    if not (solution or give_up or diff):
        Terminal().formatted(found.text("README.md"), "markdown")
        return
    with Store.open() as store:
        _permit_solution(found, store, give_up, folder)
    text = found.solution.read_text(encoding="utf-8")
    if diff is None:
        Terminal().formatted(text, "python")
    else:
        Terminal().block("\n".join(_difference(diff, text)), indent=0)


@click.command()
@exercise_argument
@click.argument("file", required=False, type=click.Path(path_type=Path))
@exercises_option
def start(exercise: str, file: Path | None, folder: Path | None) -> None:
    """Copy the starter of an exercise to FILE (by default into this folder).

    A file that exists is never overwritten.
    """
    found = library_in(folder, cached=True).exercise(exercise)
    target = _target(found, file)
    _write_new(target, found.text("starter.py"))
    click.echo(f"Wrote {target}.")
    click.echo(f"Read the task:  {command('show', found, folder)}")
    click.echo(f"When it is done:  {command('grade', found, folder)} {quoted(target)}")
    click.echo(f"When you are stuck:  {command('hint', found, folder)}")


@click.command()
@exercise_argument
@click.option("--line", is_flag=True, help="Show the change that mends your last grading.")
@exercises_option
def hint(exercise: str, line: bool, folder: Path | None) -> None:
    """Show the next hint for an exercise; the number of hints is stored with each grading.

    With --line, show the small change of one line with which your last grading's cases pass, if
    one was found.
    """
    found = library_in(folder, cached=True).exercise(exercise)
    if line:
        from quizprep.grading.attempts import last_slip
        from quizprep.grading.report import slip_hint

        with Store.open() as store:
            Terminal().say(slip_hint(last_slip(store, found.id)))
        return
    with Store.open() as store:
        seen = store.hints_shown(found.id)
        if seen < len(found.spec.hints):
            store.show_hint(found.id, times.now())
    terminal = Terminal()
    places = [seen]
    if seen >= len(found.spec.hints):
        terminal.say(f"There are no more hints for {found.id}. You have seen these:")
        places = list(range(len(found.spec.hints)))
    for place in places:
        if len(places) > 1:
            terminal.say()
        terminal.say(f"Hint {place + 1} of {len(found.spec.hints)}")
        terminal.say(found.spec.hints[place], indent=2)


def _difference(file: Path, solution: str) -> list[str]:
    """The lines of a unified difference from the learner's file to the solution."""
    from difflib import unified_diff

    try:
        own = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}.") from error
    lines = unified_diff(own.splitlines(), solution.splitlines(), "yours", "solution", lineterm="")
    return [printable(line) for line in lines] or ["Yours is the solution, to the letter."]


def _permit_solution(exercise: Exercise, store: Store, give_up: bool, folder: Path | None) -> None:
    """Raise QuizprepError unless the solution may be shown: after passing, or after giving up.

    Giving up is stored once, as an attempt that failed.
    """
    from quizprep.grading.attempts import solution_is_open, store_surrender

    if solution_is_open(store, exercise.id):
        return
    if not give_up:
        raise QuizprepError(
            f"The solution of {exercise.id} is shown once you have passed it.",
            hint=f"Stuck? {command('hint', exercise, folder)}\n"
            f"To see it all the same: {command('show', exercise, folder)} --give-up (this is "
            "recorded)",
        )
    store_surrender(store, exercise.id, times.now())


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
