"""Terminal input and output: wrapped text, colour where it is wanted, one prompt.

It works the same through a pipe: a prompt reads one line and echoes it, so that the question and
the reply stand together in the output.
"""

from __future__ import annotations

import io
import os
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TextIO

from quizprep.text import printable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Style = Literal["bold", "green", "yellow", "red", "dim"]

WIDEST = 88
NARROWEST = 20
_WIDTH_OF_A_PIPE = 80
_WIDTH_OF_STATUS = 70
_THEME = "ansi_dark"  # the terminal's own colours, so that code is readable on its background
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
        self._out.write("".join(f"{self.styled(printable(line), style)}\n" for line in lines))

    def block(self, text: str, indent: int = 4) -> None:
        """Print lines as they are, such as code."""
        lines = printable(text.strip("\n"), keep="\n\t")
        self._out.write(textwrap.indent(lines, " " * indent) + "\n")

    def formatted(self, text: str, language: Literal["markdown", "python"]) -> None:
        """Print Markdown or code set for a terminal; through a pipe or plain, as it is.

        Lines of code are never cut: a terminal wraps those that are too long for it.
        """
        if self.plain or not self._out.isatty():
            self._out.write(text)
            return
        from rich.console import Console
        from rich.markdown import Markdown
        from rich.syntax import Syntax

        console = Console(file=self._out)
        text = printable(text, keep="\n\t")
        if language == "markdown":
            console.print(Markdown(text, code_theme=_THEME))
        else:
            console.print(Syntax(text, language, theme=_THEME).highlight(text), soft_wrap=True)

    def heading(self, text: str) -> None:
        """Print a line that stands out."""
        line = text if self.plain else f"── {text} ".ljust(min(self.width, 60), "─")
        self.say()
        self.say(line, "bold")

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
        """One line typed by the learner, without its newline; None at the end of input, or if
        nobody reads the question."""
        self._out.flush()
        if self.interactive:
            return self._ask_person(prompt)
        self._out.write(prompt)
        self._out.flush()
        line = "" if reader_is_gone(self._out) else self._in.readline()
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


class _Output(io.FileIO):
    """Standard output or error. Once the reader of its pipe has gone, what is written is dropped,
    so that the program ends as it would have, with the same exit code."""

    gone = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Write what the pipe takes; everything counts as written if nobody reads it."""
        try:
            return super().write(data)
        except BrokenPipeError:
            self.gone = True
            return memoryview(data).nbytes


def reader_is_gone(stream: TextIO) -> bool:
    """Whether a pipe was closed at its other end, as ``| head`` does when it has enough."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return isinstance(raw, _Output) and raw.gone


def prepare_streams() -> None:
    """Make the three standard streams usable, however the program was started.

    A stream that was closed (``<&-``) reads as empty and drops what is written to it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is this one. An editor inherits it.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)
    sys.stdout = _lasting(sys.stdout, 1)
    sys.stderr = _lasting(sys.stderr, 2)


def _lasting(stream: TextIO | None, number: int) -> TextIO:
    """A stream that outlives its reader, with the settings of the one it replaces."""
    raw = io.BufferedWriter(_Output(number, "wb", closefd=False))
    if not isinstance(stream, io.TextIOWrapper):
        return io.TextIOWrapper(raw)
    if stream.isatty():
        return stream
    return io.TextIOWrapper(
        raw,
        stream.encoding,
        stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


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
