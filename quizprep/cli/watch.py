"""``quizprep grade --watch``: save the file, read the verdict, save again."""

from __future__ import annotations

import contextlib
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import click

from quizprep.errors import MissingExtraError

Wish = Literal["changed", "hint", "again", "quit"]

STEP_MS = 15
"""How long a burst of changes may pause: editors write, rename and chmod in one go."""

TICK_MS = 100
"""How often keys are looked at while nothing changes."""


def watch(path: Path, grade: Callable[[], None], hint: Callable[[], None]) -> None:
    """Grade now and after every save of ``path``, until q, Ctrl-C or Ctrl-D.

    The folder is watched, not the file: an editor that saves by renaming would leave a watch on
    a file that is gone. Nothing is graded while the file is missing.
    """
    with _keys() as key:
        events = _events(path)
        _redraw(path, grade)
        while True:
            wish = _next_wish(events, key)
            if wish == "quit":
                return
            if wish == "hint":
                hint()
            else:
                _redraw(path, grade)


def _redraw(path: Path, grade: Callable[[], None]) -> None:
    if sys.stdout.isatty():
        click.clear()
    if path.is_file():
        grade()
    else:
        click.echo(f"There is no file {path} now; it is graded as soon as it is back.")
    if sys.stdin.isatty():
        click.echo(f"Watching {path}. h: hint, Enter: again, q: quit.")
    else:
        click.echo(f"Watching {path}. Ctrl-C ends it.")


def _events(path: Path) -> Iterator[bool]:
    """An endless stream: whether the file changed since the last tick."""
    try:
        from watchfiles import watch as watch_folder
    except ImportError as error:
        raise MissingExtraError("Watching a file", "grade") from error
    target = path.resolve()
    for changes in watch_folder(
        target.parent,
        watch_filter=lambda _, name: Path(name).name == target.name,
        step=STEP_MS,
        debounce=4 * STEP_MS,
        rust_timeout=TICK_MS,
        yield_on_timeout=True,
        recursive=False,
        raise_interrupt=True,
    ):
        yield bool(changes)


def _next_wish(events: Iterator[bool], key: Callable[[], str | None]) -> Wish:
    for changed in events:
        if changed:
            return "changed"
        match key():
            case "q" | "\x03" | "\x04":
                return "quit"
            case "h" | "?":
                return "hint"
            case "\r" | "\n":
                return "again"
            case _:
                continue
    return "quit"


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[], str | None]]:
    """A function that returns the key pressed since the last call, or None; it never waits.

    The terminal's settings are restored at the end.
    """
    if not sys.stdin.isatty():
        yield lambda: None
        return
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)

    def pressed() -> str | None:
        ready, _, _ = select.select([fd], [], [], 0)
        return sys.stdin.read(1) if ready else None

    try:
        yield pressed
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
