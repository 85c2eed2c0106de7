"""What is stored, as a whole: ``export``, ``import`` and ``backup``; ``reset`` forgets parts."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from quizprep.cli.options import (
    HELP_NAMES,
    bank_option,
    exercises_option,
    in_folder,
    library_in,
    library_of,
    quoted,
    writing,
)
from quizprep.content.library import Library, plain_id, shipped_root
from quizprep.errors import QuizprepError, UsageError
from quizprep.quiz import times
from quizprep.store import Store
from quizprep.text import counted, did_you_mean

_FILE = click.Path(dir_okay=False, path_type=Path)
_NOUNS = {
    "reviews": "answer", "attempts": "grading", "mocks": "interview", "bookmarks": "bookmark",
}  # fmt: skip
"""What an import counts, by table; of other tables only the sum is told."""


def _names(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    library = Library(shipped_root())
    names = [*library.exercise_ids, *library.topics]
    return [name for name in names if plain_id(name).startswith(plain_id(begun))]


@click.command("export", context_settings=HELP_NAMES)
@click.argument("file", required=False, type=_FILE)
def export_command(file: Path | None) -> None:
    """Write everything stored as JSON lines to FILE, or to standard output.

    quizprep import reads them, also on another machine.
    """
    from quizprep.store.transfer import export_log

    with Store.open() as store:
        lines = list(export_log(store))
    if file is None:
        for line in lines:
            click.echo(line)
        return
    with _new(file), file.open("x", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in lines)
    click.echo(f"Wrote {file}: {counted(len(lines) - 1, 'row')}.")


@click.command("import", context_settings=HELP_NAMES)
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False, path_type=Path))
def import_command(file: Path) -> None:
    """Add what quizprep export wrote to FILE (- for standard input).

    What is stored already is not added again, so that a file may be imported twice, and the
    histories of two machines become one. All of it is added, or nothing.
    """
    from quizprep.store.transfer import import_log

    with contextlib.ExitStack() as stack:
        try:
            source = (
                sys.stdin if str(file) == "-" else stack.enter_context(file.open(encoding="utf-8"))
            )
            lines = source.read().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read: {error}.") from error
        added = import_log(stack.enter_context(Store.open()), lines)
    if not added.total():
        click.echo("Nothing new: all of it was stored already.")
        return
    named = [counted(added[table], noun) for table, noun in _NOUNS.items() if added[table]]
    rest = added.total() - sum(added[table] for table in _NOUNS)
    if rest:
        named.append(counted(rest, "other row"))
    click.echo(f"Added: {', '.join(named)}.")


@click.command(context_settings=HELP_NAMES)
@click.argument("file", required=False, type=_FILE)
def backup(file: Path | None) -> None:
    """Copy the store to FILE, by default beside it, with the day in its name."""
    with Store.open() as store:
        target = file or store.path.with_name(f"backup-{times.today()}.db")
        with _new(target):
            store.back_up(target)
        click.echo(f"Wrote {target}.")
        click.echo(f"To go back to it:  cp {quoted(target)} {quoted(store.path)}")


@click.command(context_settings=HELP_NAMES)
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=_names)
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
@exercises_option
@bank_option
def reset(names: tuple[str, ...], yes: bool, folder: Path | None, bank: Path | None) -> None:
    """Let an exercise, a topic or a question count as not tried.

    Its gradings, hints and answers stay on record, and count no longer.
    """
    exercises, questions = _find(names, library_in(folder), library_of(bank))
    parts = [title for _, title in exercises]
    if questions:
        parts.append(f"all answers to {counted(len(questions), 'question')}")
    what = f"Reset {', '.join(parts)}?"
    if not yes and not click.confirm(what):
        raise QuizprepError("Nothing was reset.", hint="--yes resets without asking.")
    now = times.now()
    with Store.open() as store:
        for id, _ in exercises:
            store.reset_exercise(id, now)
        answers = store.void_questions(questions, now)
    for id, title in exercises:
        click.echo(f"{title} counts as not tried: quizprep start {id}{in_folder(folder)}")
    if questions:
        click.echo(f"{counted(answers, 'answer')} no longer counted.")


def _find(
    names: Iterable[str], exercises: Library, banks: Library
) -> tuple[list[tuple[str, str]], list[str]]:
    """The exercises named, with their titles, and the questions; raises UsageError."""
    found: list[tuple[str, str]] = []
    questions: dict[str, None] = {}
    by_id = {plain_id(id): id for id in exercises.exercise_ids}
    topics = {plain_id(topic): topic for topic in banks.topics}
    for name in map(plain_id, names):
        if name in by_id:
            found.append((by_id[name], exercises.exercise(name).spec.title))
        elif name in topics:
            questions |= dict.fromkeys(q.id for q in banks.bank(topics[name]).questions)
        else:
            known = {plain_id(id): id for id in banks.questions}
            if name not in known:
                near = did_you_mean(name, [*by_id.values(), *topics.values(), *known.values()])
                raise UsageError(
                    f"There is no exercise, topic or question called {name!r}.{near}",
                    hint="quizprep list names exercises and topics; quizprep search finds all.",
                )
            questions[known[name]] = None
    return found, list(questions)


@contextlib.contextmanager
def _new(file: Path) -> Iterator[None]:
    try:
        with writing(file):
            yield
    except QuizprepError as error:
        if isinstance(error.__cause__, FileExistsError):
            raise UsageError(
                f"{file} exists already; it was left as it is.", hint="Name another file."
            ) from error
        raise
