"""``quizprep mock``: a timed interview, with a debrief at its end."""

from __future__ import annotations

import os
from pathlib import Path

import click

from quizprep.cli import clock
from quizprep.cli.interviewer import Interview, Interviewer
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Level
from quizprep.errors import StoreError, UsageError
from quizprep.quiz.interview import MINUTES, Ended, choose, read, write
from quizprep.store import Mock, Store, default_home

_LEVELS = [level.value for level in Level]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--level", type=click.Choice(_LEVELS), help="Only questions of this level.")
@click.option(
    "--minutes",
    type=click.IntRange(5, 180),
    default=MINUTES,
    help=f"How long it takes (default {MINUTES}).",
)
@click.option("--new", "anew", is_flag=True, help="Begin another, though one is unfinished.")
@click.option("--seed", type=click.IntRange(0, 2**31), help="Choose the same questions again.")
@click.option("--plain", is_flag=True, help="No colour, no drawn lines: for screen readers.")
@click.option(
    "--bank",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with your own content, instead of what comes with quizprep.",
)
def mock(
    level: str | None,
    minutes: int,
    anew: bool,
    seed: int | None,
    plain: bool,
    bank: Path | None,
) -> None:
    """A timed interview: spoken questions with follow-ups, a number, then a kernel.

    Answer as you would speak; what was right is said at the end. The kernel opens in $EDITOR
    and is graded; without one it is left out. When the time is over no more is asked, and the
    clock marks nothing.

    s passes, q leaves: the next quizprep mock goes on from there, and the time away does not
    count. Everything answered is stored at once.
    """
    library = Library(bank or shipped_root(), cache=default_home() / "cache")
    terminal = Terminal(plain=plain)
    with Store.open() as store:
        found = None if anew else _unfinished(store)
        if found is None:
            found = _begin(store, library, Level(level) if level else None, minutes, seed)
        else:
            _say_resumed(terminal, found)
        Interviewer(terminal, library, store, found).run()


def _unfinished(store: Store) -> Interview | None:
    last = store.last_mock()
    if last is None:
        return None
    interview = load(store, last)
    return None if isinstance(interview.steps[-1], Ended) else interview


def load(store: Store, mock: Mock) -> Interview:
    """An interview and its steps out of the store."""
    rows = store.mock_steps(mock)
    try:
        steps = [read(row.step) for row in rows]
    except ValueError as error:
        raise StoreError(
            f"The interview of {mock.at:%Y-%m-%d} in {store.path} cannot be read: {error}.",
            hint="Begin another: quizprep mock --new",
        ) from error
    return Interview(mock, steps, sum(row.seconds for row in rows))


def _begin(
    store: Store, library: Library, level: Level | None, minutes: int, seed: int | None
) -> Interview:
    seed = int.from_bytes(os.urandom(4)) >> 1 if seed is None else seed
    begun = choose(library.questions, library.exercises, level, minutes, seed)
    if not begun.openings:
        raise UsageError(
            "There is no spoken question to open with.",
            hint="Leave out --level, or name another folder with --bank.",
        )
    now = clock.now()
    mock = store.begin_mock(seed, level or "", minutes, os.urandom(6).hex(), now, write(begun))
    return Interview(mock, [begun], 0.0)


def _say_resumed(terminal: Terminal, interview: Interview) -> None:
    when = interview.mock.at.astimezone()
    used = round(interview.seconds / 60)
    terminal.say(
        f"Going on with the interview of {when.day} {when:%B}: {used} of "
        f"{interview.mock.minutes} minutes used. --new begins another.",
        "dim",
    )
