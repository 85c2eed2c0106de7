r"""Texts of the content as blocks that every format can set.

A text holds paragraphs (separated by empty lines), list items (lines that begin with ``-``,
``*`` or ``1.``), ``code`` between backticks and mathematics between dollars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from quizprep.errors import ContentError, Problem
from quizprep.maths import Node, Row, Sign, problems, split_math


@dataclass(frozen=True)
class Words:
    """Plain words."""

    text: str


@dataclass(frozen=True)
class Code:
    """A piece of code in a line."""

    text: str


@dataclass(frozen=True)
class Math:
    """A formula in LaTeX, without its dollars."""

    latex: str


Inline = Words | Code | Math
Line = tuple[Inline, ...]


@dataclass(frozen=True)
class Bullets:
    """A list, numbered or not."""

    items: tuple[Line, ...]
    numbered: bool = False


Prose = tuple[Line | Bullets, ...]
"""Paragraphs and lists."""

BREAKS = frozenset("=<>≤≥≠≈∼∝≪≫→⇒+−·×")
"""Relations and operators after which a formula may break."""
_OPENING = frozenset("([{⌊⌈")
_CLOSING = frozenset(")]}⌋⌉")
_ITEM = re.compile(r"(?:[-*•]|(\d{1,2})[.)])\s+")
_CODE = re.compile(r"`([^`]+)`")


def prose(text: str) -> Prose:
    """The blocks of a text."""
    blocks: list[Line | Bullets] = []
    for chunk in re.split(r"\n\s*\n", text.strip()):
        blocks += _blocks(chunk)
    return tuple(blocks)


def line(text: str) -> Line:
    """The words, code and formulas of a text, whose line breaks are spaces."""
    return tuple(_inlines(" ".join(text.split())))


_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def first_sentence(text: str) -> Line:
    """The first sentence of a text."""
    found: list[Inline] = []
    for item in next((block for block in prose(text) if isinstance(block, tuple)), ()):
        begins = _END.split(item.text)[0] if isinstance(item, Words) else ""
        if isinstance(item, Words) and begins != item.text:
            return (*found, Words(begins))
        found.append(item)
    return tuple(found)


def check_maths(owner: str, field: str, text: str) -> None:
    """Raise ContentError where the mathematics of a text cannot be set."""
    if faults := problems(text):
        raise ContentError([Problem(owner, None, field, fault) for fault in faults])


def _blocks(chunk: str) -> Iterator[Line | Bullets]:
    """The blocks of a text without empty lines: a paragraph, then lists."""
    parts: list[tuple[str, str]] = []
    for row in map(str.strip, chunk.split("\n")):
        if mark := _ITEM.match(row):
            parts.append(("numbered" if mark[1] else "bullets", row[mark.end() :]))
        elif parts:
            kind, text = parts[-1]
            parts[-1] = (kind, f"{text} {row}")
        else:
            parts.append(("paragraph", row))
    for kind, group in groupby(parts, key=lambda part: part[0]):
        lines = tuple(line(text) for _, text in group)
        if kind != "paragraph":
            yield Bullets(lines, kind == "numbered")
        elif lines[0]:
            yield lines[0]


def _inlines(text: str) -> Iterator[Inline]:
    for piece in split_math(text):
        if piece.is_math:
            yield Math(piece.text[1:-1].strip())
            continue
        parts = _CODE.split(piece.text)
        for place, part in enumerate(parts):
            if part:
                yield Code(part) if place % 2 else Words(part.replace(r"\$", "$"))


def break_apart(formula: Node) -> list[list[Node]]:
    """The parts of a formula between which a line may break: each but the last ends with a
    relation or an operator that stands outside all brackets."""
    if not isinstance(formula, Row) or formula.fenced:
        return [[formula]]
    parts: list[list[Node]] = [[]]
    depth = 0
    for item in formula.items:
        parts[-1].append(item)
        if isinstance(item, Sign):
            depth += (item.text in _OPENING) - (item.text in _CLOSING)
            if depth == 0 and len(parts[-1]) > 1 and item.text in BREAKS:
                parts.append([])
    return [part for part in parts if part]
