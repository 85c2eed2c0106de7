"""A cheat sheet: the essence of each topic, as much as fits legibly on the two sides of one page.

An entry is shown whole or not at all. Where room is short, type becomes smaller first; then the
entries of the least weight are left out, from all topics alike, and the sheet says how many.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from quizprep.sheets.model import (
    Known,
    KnownFormula,
    KnownNumber,
    Picture,
    Refuted,
    Section,
    Sheet,
)
from quizprep.sheets.prose import Line
from quizprep.sheets.svg import Plot
from quizprep.text import counted

SIDES = 2
SIZES = (10.0, 9.5, 9.0, 8.5, 8.0, 7.75, 7.5, 7.25, 7.0, 6.75, 6.5)
"""Type sizes in points, the largest first."""
WIDE = 9.0
"""From this size on there are two columns, else three."""

T = TypeVar("T", bound=Known)


@dataclass(frozen=True)
class Topic:
    """One topic of a cheat sheet."""

    title: str
    say: Line
    formulas: tuple[KnownFormula, ...]
    numbers: tuple[KnownNumber, ...]
    claims: tuple[Refuted, ...]
    picture: Picture | None

    @property
    def picture_width(self) -> int:
        """In per cent of the column: the labels of a plot have to be read."""
        return 100 if isinstance(self.picture, Plot) else 45


@dataclass(frozen=True)
class Cheat:
    """A cheat sheet; ``size`` is that of its type, ``dropped`` says what is left out, or is
    empty."""

    title: str
    size: float
    topics: tuple[Topic, ...]
    dropped: str = ""

    @property
    def columns(self) -> int:
        return 2 if self.size >= WIDE else 3


def fitted(sheet: Sheet, pages: Callable[[Cheat], int]) -> Cheat:
    """The cheat sheet with the largest type that fits on the two sides; if none does, that with the
    smallest type and the most entries.

    pages  counts the pages of a cheat sheet
    """
    ranked = ranking(sheet)
    steps = [(size, len(ranked)) for size in SIZES]
    steps += [(SIZES[-1], count) for count in range(len(ranked) - 1, -1, -1)]

    def made(step: tuple[float, int]) -> Cheat:
        size, count = step
        return cheat(sheet, size, ranked[:count])

    fits = bisect_left(steps[:-1], True, key=lambda step: pages(made(step)) <= SIDES)
    return made(steps[fits])


def ranking(sheet: Sheet) -> list[tuple[int, int]]:
    """The entries of all topics, each as the place of its topic and its place in it: the heaviest
    first, and of the same weight the first of each topic, then the second of each."""
    places = [
        (-known.weight, place, topic)
        for topic, section in enumerate(sheet.sections)
        for place, known in enumerate(section.essence.known)
    ]
    return [(topic, place) for _, place, topic in sorted(places)]


def cheat(sheet: Sheet, size: float, shown: list[tuple[int, int]]) -> Cheat:
    """The cheat sheet with these entries."""
    chosen = set(shown)
    topics, dropped = [], list[Known]()
    for number, section in enumerate(sheet.sections):
        known = section.essence.known
        kept = [each for place, each in enumerate(known) if (number, place) in chosen]
        dropped += [each for place, each in enumerate(known) if (number, place) not in chosen]
        topics.append(_topic(section, kept))
    return Cheat(sheet.title, size, tuple(topics), _dropped(dropped))


def _topic(section: Section, kept: list[Known]) -> Topic:
    return Topic(
        title=section.title,
        say=section.essence.say,
        formulas=_of(kept, KnownFormula),
        numbers=_of(kept, KnownNumber),
        claims=_of(kept, Refuted),
        picture=_picture(section),
    )


def _picture(section: Section) -> Picture | None:
    match section.essence.picture:
        case "mask":
            return next(iter(section.masks), None)
        case "growth":
            return next(iter(section.plots), None)
    return None


def _of(known: list[Known], kind: type[T]) -> tuple[T, ...]:
    return tuple(each for each in known if isinstance(each, kind))


def _dropped(known: list[Known]) -> str:
    nouns = ((KnownFormula, "formula"), (KnownNumber, "number"), (Refuted, "wrong claim"))
    parts = [counted(len(found), noun) for kind, noun in nouns if (found := _of(known, kind))]
    return f"Left out for room: {', '.join(parts)}." if parts else ""
