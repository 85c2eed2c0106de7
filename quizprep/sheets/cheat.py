"""A cheat sheet: as much as fits legibly on the two sides of one page.

Where room is short, every topic loses the same kinds of content, the least useful first, and the
sheet says how much is left out.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from quizprep.sheets.model import Card, Section, Sheet, Trap
from quizprep.sheets.prose import Bullets, Inline, Line, Prose, Words
from quizprep.text import counted

SIDES = 2


@dataclass(frozen=True)
class Detail:
    """The type size in points, and how much of each topic is shown at most.

    sentences  sentences of the spoken template
    numbers    lines of numbers and growths
    slips      wrong values under each of these lines
    claims     wrong claims about spoken questions
    choices    questions with options
    spoken     spoken questions with their key points
    """

    size: float
    sentences: int
    numbers: int
    slips: int
    claims: int
    choices: int
    spoken: int


STEPS: tuple[Detail, ...] = (
    Detail(8.5, 99, 99, 99, 99, 99, 99),
    Detail(8.0, 99, 99, 99, 99, 99, 99),
    Detail(7.5, 99, 99, 99, 99, 99, 99),
    Detail(7.0, 99, 99, 99, 99, 99, 99),
    Detail(7.0, 99, 99, 3, 99, 99, 99),
    Detail(6.6, 99, 99, 2, 12, 6, 3),
    Detail(6.6, 99, 12, 2, 9, 4, 1),
    Detail(6.6, 8, 10, 2, 6, 3, 0),
    Detail(6.4, 7, 9, 1, 5, 2, 0),
    Detail(6.4, 6, 8, 1, 4, 1, 0),
    Detail(6.4, 5, 7, 1, 3, 0, 0),
    Detail(6.2, 4, 7, 0, 3, 0, 0),
    Detail(6.2, 3, 6, 0, 2, 0, 0),
    Detail(6.0, 2, 5, 0, 2, 0, 0),
    Detail(6.0, 2, 4, 0, 1, 0, 0),
    Detail(6.0, 1, 3, 0, 1, 0, 0),
    Detail(6.0, 1, 1, 0, 0, 0, 0),
)
"""Levels of detail from the most to the least; the first that fits is taken."""


@dataclass(frozen=True)
class Topic:
    """One topic of a cheat sheet: the spoken template, and the questions of each kind.

    numbers  those whose answer is a number or a growth
    claims   wrong claims about spoken questions
    """

    title: str
    template: Prose
    numbers: tuple[Card, ...]
    claims: tuple[Trap, ...]
    choices: tuple[Card, ...]
    spoken: tuple[Card, ...]


@dataclass(frozen=True)
class Cheat:
    """A cheat sheet at one level of detail; ``dropped`` says what is left out, or is empty."""

    title: str
    detail: Detail
    topics: tuple[Topic, ...]
    dropped: str


def fitted(sheet: Sheet, pages: Callable[[Cheat], int]) -> Cheat:
    """The cheat sheet with the most detail that fits on the two sides; the barest where none fits.

    pages  counts the pages of a cheat sheet
    """
    fits = bisect_left(STEPS[:-1], True, key=lambda detail: pages(cheat(sheet, detail)) <= SIDES)
    return cheat(sheet, STEPS[fits])


def cheat(sheet: Sheet, detail: Detail) -> Cheat:
    """The cheat sheet at a level of detail."""
    topics = tuple(_topic(section, detail) for section in sheet.sections)
    whole = [_topic(section, STEPS[0]) for section in sheet.sections]
    return Cheat(sheet.title, detail, topics, _dropped(whole, topics))


def _topic(section: Section, detail: Detail) -> Topic:
    cards = section.cards
    choices = (card for card in cards if card.kind == "choice")
    spoken = [card for card in cards if card.answer.points]
    claims = _in_turn(card.answer.traps for card in spoken)
    return Topic(
        title=section.title,
        template=_shortened(section.template, detail.sentences),
        numbers=tuple(islice(section.numbers, detail.numbers)),
        claims=tuple(islice(claims, detail.claims)),
        choices=tuple(islice(choices, detail.choices)),
        spoken=tuple(spoken[: detail.spoken]),
    )


def _in_turn(groups: Iterable[Sequence[Trap]]) -> Iterator[Trap]:
    """The first trap of each group, then the second of each, and so on."""
    for row in zip_longest(*groups):
        yield from (trap for trap in row if trap is not None)


def _shortened(text: Prose, sentences: int) -> Prose:
    """The first sentences of a text; an item of a list counts as one."""
    kept: list[Line | Bullets] = []
    for block in text:
        if sentences <= 0:
            break
        if isinstance(block, Bullets):
            kept.append(Bullets(block.items[:sentences], block.numbered))
            sentences -= len(block.items)
        else:
            line, used = _first_sentences(block, sentences)
            kept.append(line)
            sentences -= used
    return tuple(kept)


_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def _first_sentences(line: Line, count: int) -> tuple[Line, int]:
    """The first sentences of a line, and how many they are."""
    kept: list[Inline] = []
    ended = 0
    for item in line:
        parts = _END.split(item.text) if isinstance(item, Words) else [""]
        if len(parts) > count - ended:
            kept.append(Words(" ".join(parts[: count - ended])))
            return tuple(kept), count
        ended += len(parts) - 1
        kept.append(item)
    return tuple(kept), ended + 1


def _dropped(whole: Sequence[Topic], kept: Sequence[Topic]) -> str:
    parts = []
    for field, noun in _DROPPABLE.items():
        lengths = [sum(len(getattr(topic, field)) for topic in topics) for topics in (whole, kept)]
        if lost := lengths[0] - lengths[1]:
            parts.append(counted(lost, noun))
    return f"Left out for room: {', '.join(parts)}." if parts else ""


_DROPPABLE = {
    "numbers": "number",
    "claims": "claim",
    "choices": "choice",
    "spoken": "spoken answer",
}
