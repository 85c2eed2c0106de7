"""Two texts beside each other where there is room, else one under the other."""

from __future__ import annotations

from itertools import zip_longest

from quizprep.cli.terminal import wrapped

ROOM = 72
"""Columns from which on two texts stand beside each other."""
_GAP = "  |  "

Titled = tuple[str, str]
"""A title and a text."""


def beside(left: Titled, right: Titled, width: int) -> list[str]:
    """The lines of both; none is wider than the width."""
    if width < ROOM:
        return [line for part in (left, right) for line in [*_column(part, width), ""]][:-1]
    half = (width - len(_GAP)) // 2
    rows = zip_longest(_column(left, half), _column(right, half), fillvalue="")
    return [f"{one:<{half}}{_GAP}{other}".rstrip() for one, other in rows]


def _column(part: Titled, width: int) -> list[str]:
    title, text = part
    return [*wrapped(title, width), "-" * min(width, len(title)), *wrapped(text, width)]
