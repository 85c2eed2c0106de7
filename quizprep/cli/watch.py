"""``quizprep grade --watch``: save the file, read the verdict, save again."""

from __future__ import annotations

import contextlib
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from quizprep.cli.terminal import Terminal, reader_is_gone
from quizprep.errors import MissingExtraError
from quizprep.grading.submission import file_stamp
from quizprep.quiz import times

Wish = Literal["again", "hint", "line", "quit"]

STEP_MS = 15
"""How long a burst of changes may pause: editors write, rename and chmod in one go."""

TICK_MS = 100
"""How often keys and the file are looked at while no event comes."""


def watch(
    terminal: Terminal,
    path: Path,
    grade: Callable[[], None],
    hint: Callable[[], None],
    line: Callable[[], None],
) -> None:
    """Grade now and after every save of ``path``, until q, Ctrl-C or Ctrl-D, or until nobody
    reads the verdicts. Nothing is graded while the file is missing.

    ``hint`` and ``line`` show a hint, and the change that mends a slip.
    """
    with _keys() as key:
        events = _events(path, file_stamp(path))
        wish: Wish = "again"
        while wish != "quit":
            if wish == "hint":
                hint()
            elif wish == "line":
                line()
            else:
                _run(terminal, path, grade)
            sys.stdout.flush()
            wish = "quit" if reader_is_gone(sys.stdout) else _next_wish(events, key)


def _run(terminal: Terminal, path: Path, grade: Callable[[], None]) -> None:
    terminal.heading(f"{times.now().astimezone():%H:%M:%S}")
    if path.is_file():
        grade()
    else:
        terminal.say(f"There is no file {path} now; it is graded as soon as it is back.")
    keys = (
        "h: hint, l: the change in the line, Enter: again, q: quit."
        if sys.stdin.isatty()
        else "Ctrl-C ends it."
    )
    terminal.say(f"Watching {path}. {keys}")


def _events(path: Path, seen: object) -> Iterator[bool]:
    """An endless stream: whether the file changed since the last look, at every tick.

    The folder is watched, not the file: an editor that saves by renaming would leave a watch on
    a file that is gone. Where the path is a link, what it leads to may change without an event
    in that folder, so every tick looks at the file itself.

    seen  the stamp of the file as it was read last
    """
    try:
        from watchfiles import watch as watch_folder
    except ImportError as error:
        raise MissingExtraError("Watching a file", "grade") from error
    target = path.resolve()
    for _ in watch_folder(
        target.parent,
        watch_filter=lambda _, name: Path(name).name == target.name,
        step=STEP_MS,
        debounce=4 * STEP_MS,
        rust_timeout=TICK_MS,
        yield_on_timeout=True,
        recursive=False,
        raise_interrupt=True,
    ):
        stamp = file_stamp(path)
        yield stamp != seen
        seen = stamp


def _next_wish(events: Iterator[bool], key: Callable[[], str | None]) -> Wish:
    for changed in events:
        if changed:
            return "again"
        match key():
            case "q" | "\x03" | "\x04":
                return "quit"
            case "h" | "?":
                return "hint"
            case "l":
                return "line"
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
