"""``quizprep sheet``: study sheets out of the same content."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from quizprep.cli.options import (
    HELP_NAMES,
    bank_option,
    levels_option,
    topics_argument,
    topics_of,
)
from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Level
from quizprep.errors import QuizprepError, UsageError
from quizprep.files import replace_file
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.model import Sheet
from quizprep.sheets.templating import MARKER
from quizprep.text import counted

_EXTENSIONS = {"html": "html", "md": "md", "pdf": "pdf", "anki": "apkg"}
_PRINTABLE = ("html", "md")
_STDOUT = Path("-")
_SEARCHED = 64 << 20
"""How many bytes of a file are searched for the marker of our sheets."""


@click.command(context_settings=HELP_NAMES)
@topics_argument
@click.option("--format", "kind", type=click.Choice(list(_EXTENSIONS)), help="Default: html.")
@click.option("--cheat", is_flag=True, help="A PDF of two sides: formulas, numbers, traps.")
@click.option("--weak", is_flag=True, help="Only what you miss, the weakest first.")
@levels_option
@click.option("--no-answers", is_flag=True, help="A self-test: questions without answers.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, help="Draw other numbers.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The file to write; - prints it.",
)
@bank_option
def sheet(
    topics: tuple[str, ...],
    kind: str | None,
    cheat: bool,
    weak: bool,
    levels: tuple[str, ...],
    no_answers: bool,
    seed: int,
    output: Path | None,
    bank: Path | None,
) -> None:
    """A study sheet: questions, answers, traps, numbers worked out, exercises, sources.

    One file that needs no network. A sheet written before is replaced; any other file is left
    alone.
    """
    chosen = _format(kind, cheat, no_answers, output)
    library = Library(bank or shipped_root())
    names = topics_of(library, topics)
    now = datetime.now(UTC)
    wanted = Wanted(
        topics=names,
        levels=frozenset(Level(level) for level in levels),
        missed=_missed(library, names) if weak else None,
        answers=not no_answers,
        seed=seed,
        note=f"What you miss, as of {now.day} {now:%B %Y}." if weak else "",
    )
    made = build(library, wanted)
    if not made.cards:
        raise _nothing(weak, bool(levels))
    data = _rendered(made, chosen, now, cheat)
    if output == _STDOUT:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    target = output or Path(_default_name(made, chosen, weak, cheat))
    _write(target, data)
    contents = f"{counted(len(made.cards), 'question')} on {counted(len(made.sections), 'topic')}"
    click.echo(f"Wrote {target}: {contents}.")


def _format(kind: str | None, cheat: bool, no_answers: bool, output: Path | None) -> str:
    """The format; raises UsageError for options that exclude each other."""
    chosen = kind or ("pdf" if cheat else "html")
    if cheat and chosen != "pdf":
        raise UsageError("A cheat sheet is a PDF.", hint="Leave out --format, or give pdf.")
    if no_answers and (cheat or chosen == "anki"):
        other = "--cheat" if cheat else "--format anki"
        raise UsageError(
            f"--no-answers and {other} exclude each other.", hint="Leave one of them out."
        )
    if output == _STDOUT and chosen not in _PRINTABLE:
        raise UsageError(
            f"A file of format {chosen} is not printed to the terminal.",
            hint="Name a file with -o PATH, or choose --format md.",
        )
    return chosen


def _missed(library: Library, topics: list[str]) -> dict[str, str]:
    from quizprep.quiz.weakness import weak_questions
    from quizprep.store import Store

    questions = [question for topic in topics for question in library.bank(topic).questions]
    with Store.open() as store:
        return weak_questions(questions, store.latest(), store.due_marks())


def _nothing(weak: bool, by_level: bool) -> QuizprepError:
    if weak and not by_level:
        return QuizprepError(
            "There is nothing that you miss, so there is no sheet to write.",
            hint="Answer some questions first: quizprep ask",
        )
    return QuizprepError(
        "No question fits, so there is no sheet to write.",
        hint="Leave out --level or --weak, or name another topic.",
    )


def _rendered(made: Sheet, chosen: str, now: datetime, cheat: bool) -> bytes:
    if chosen == "md":
        from quizprep.sheets.markdown import render_markdown

        return render_markdown(made).encode()
    if chosen == "pdf":
        from quizprep.sheets.pdf import render_cheat, render_pdf

        return render_cheat(made) if cheat else render_pdf(made)
    if chosen == "anki":
        from quizprep.sheets.anki import render_anki

        return render_anki(made, now)
    from quizprep.sheets.html import render_html

    return render_html(made).encode()


def _default_name(made: Sheet, chosen: str, weak: bool, cheat: bool) -> str:
    parts = ["quizprep-cheat" if cheat else "quizprep-sheet"]
    if weak:
        parts.append("weak")
    elif len(made.sections) == 1:
        parts.append(made.sections[0].topic)
    return f"{'-'.join(parts)}.{_EXTENSIONS[chosen]}"


def _write(target: Path, data: bytes) -> None:
    """Write a sheet, whole or not at all.

    Raises UsageError where the target is a file that we did not write, or cannot be written.
    """
    if not target.parent.is_dir():
        raise UsageError(
            f"There is no folder {target.parent}.", hint="Create it first, or name another file."
        )
    try:
        if target.is_dir() or (target.exists() and not _is_ours(target)):
            raise UsageError(
                f"{target} exists already and is no sheet of ours; it was left as it is.",
                hint="Name another file with -o PATH.",
            )
        replace_file(target, data)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror or error}.",
            hint="Name another file with -o PATH.",
        ) from error


def _is_ours(path: Path) -> bool:
    """Whether a file holds the marker of our sheets."""
    with path.open("rb") as stream:
        return MARKER.encode() in stream.read(_SEARCHED)
