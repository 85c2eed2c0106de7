"""Terminal input and output: wrapped text, colour where it is wanted, one prompt.

It works the same through a pipe: a prompt reads one line and echoes it, so that the question and
the reply stand together in the output.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Literal, TextIO

from quizprep.text import printable

Style = Literal["bold", "green", "yellow", "red", "dim"]

WIDEST = 88
NARROWEST = 20
_WIDTH_OF_A_PIPE = 80
_WIDTH_OF_STATUS = 70
_CODES: dict[Style, str] = {
    "bold": "1", "green": "32", "yellow": "33", "red": "31", "dim": "2",
}  # fmt: skip
_BULLET = re.compile(r"\s*(?:[-*•]|\d+[.)]|[a-h]\))\s+")


class Leave(Exception):
    """The learner leaves, or the input ends."""


class Terminal:
    """Where a command talks to a person.

    interactive  whether a person sits at both ends, so that keys and times mean something
    plain        no colour and no drawn lines, for screen readers
    draws        whether shades and bars can be shown
    """

    def __init__(self, plain: bool = False, into: TextIO | None = None, out: TextIO | None = None):
        self._in = into or sys.stdin
        self._out = out or sys.stdout
        _forgive_encoding(self._in)
        _forgive_encoding(self._out)
        self.plain = plain
        self.interactive = self._in.isatty() and self._out.isatty()
        self.width = max(NARROWEST, min(WIDEST, _columns()))
        self.colour = (
            self._out.isatty()
            and not plain
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") != "dumb"
        )
        encoding = (getattr(self._out, "encoding", None) or "").lower().replace("-", "")
        self.draws = not plain and encoding.startswith("utf")

    def styled(self, text: str, style: Style | None) -> str:
        """The text in a style, if colour is wanted."""
        if style is None or not self.colour:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"

    def say(self, text: str = "", style: Style | None = None, indent: int = 0) -> None:
        """Print text wrapped to the width; the lines of a paragraph are joined."""
        lines = wrapped(text, self.width, indent)
        self._out.write("".join(f"{self.styled(line, style)}\n" for line in lines))

    def block(self, text: str, indent: int = 4) -> None:
        """Print lines as they are, such as code."""
        self._out.write(textwrap.indent(text.strip("\n"), " " * indent) + "\n")

    def heading(self, text: str) -> None:
        """Print a line that stands out."""
        line = text if self.plain else f"── {text} ".ljust(min(self.width, 60), "─")
        self.say()
        for row in wrapped(line, self.width):
            self._out.write(f"{self.styled(row, 'bold')}\n")

    def table(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Print aligned columns; the last one moves to lines of its own if it does not fit."""
        *widths, last = [max(map(len, column)) for column in zip(*rows, strict=True)]
        fits = sum(widths) + last + 2 * len(rows[0]) <= self.width
        for *cells, text in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            if fits:
                self.block(f"{line}  {text}", indent=2)
            else:
                self.block(line.rstrip(), indent=2)
                self.say(text, indent=6)

    def ask(self, prompt: str = "> ") -> str | None:
        """One line typed by the learner, without its newline; None at the end of input."""
        self._out.flush()
        if self.interactive:
            return self._ask_person(prompt)
        self._out.write(prompt)
        self._out.flush()
        line = self._in.readline()
        if not line:
            self._out.write("\n")
            return None
        reply = line.rstrip("\r\n")
        self._out.write(f"{printable(reply)}\n")
        return reply

    def ask_long(self, prompt: str = "> ", hint: Callable[[str], None] | None = None) -> str | None:
        """An answer of several lines, ended by an empty one; through a pipe, one line.

        hint  called with the text so far when a line is ``?``
        """
        first = self.ask(prompt)
        if not self.interactive or not first or len(first.strip()) <= 2:
            return first
        lines = [first]
        while line := self.ask(" " * len(prompt)):
            if hint is not None and line.strip() == "?":
                hint("\n".join(lines))
            else:
                lines.append(line)
        return "\n".join(lines)

    def key(self, hint: str) -> str | None:
        """One keystroke; None for Ctrl-D. Only for an interactive terminal."""
        import select
        import termios
        import tty

        source = self._in.fileno()
        before = termios.tcgetattr(source)
        try:
            # Draining, not flushing, keeps what was typed ahead.
            tty.setcbreak(source, termios.TCSADRAIN)
            self.say(hint, "dim")
            self._out.write("> ")
            self._out.flush()
            pressed = os.read(source, 1)
            if pressed == b"\x1b" and select.select([source], [], [], 0)[0]:
                os.read(source, 16)  # the rest of an arrow key, which is not an answer
        finally:
            termios.tcsetattr(source, termios.TCSADRAIN, before)
            self._out.write("\n")
        return None if pressed in (b"", b"\x04") else pressed.decode("ascii", "replace")

    def _ask_person(self, prompt: str) -> str | None:
        import contextlib

        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  (input() edits lines with it)
        try:
            return input(prompt)
        except EOFError:
            self._out.write("\n")
            return None


def status(text: str = "") -> None:
    """Replace the status line on standard error; does nothing if that is no terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text[:_WIDTH_OF_STATUS]}")
        sys.stderr.flush()


def _columns() -> int:
    """The width, without ``shutil.get_terminal_size``, whose module imports bz2 and lzma."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(1).columns or _WIDTH_OF_A_PIPE
    except OSError:
        return _WIDTH_OF_A_PIPE


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """Wrap paragraphs to a width; empty lines stay, list items get a hanging indent."""
    lines: list[str] = []
    for paragraph in _paragraphs(text):
        mark = _BULLET.match(paragraph)
        hang = indent + (len(mark[0]) if mark and mark[0][0] != " " else 0)
        lines += textwrap.wrap(
            paragraph,
            width,
            initial_indent=" " * indent,
            subsequent_indent=" " * hang,
            break_on_hyphens=False,
        ) or [""]
    return lines or [""]


def _paragraphs(text: str) -> list[str]:
    paragraphs: list[str] = []
    joins = False
    for line in text.strip("\n").split("\n"):
        if not line.strip():
            paragraphs.append("")
            joins = False
        elif joins and not _BULLET.match(line):
            paragraphs[-1] += f" {line.strip()}"
        else:
            paragraphs.append(line.strip())
            joins = True
    return paragraphs


def _forgive_encoding(stream: TextIO) -> None:
    """Replace characters that the locale cannot read or write by ``?``, not crash."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
