"""The content of a sheet before it gets a format, with texts filled in and numbers computed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from quizprep.sheets.pictures import MaskPicture, Plot
from quizprep.sheets.prose import Line, Prose


@dataclass(frozen=True)
class Concept:
    """An idea that a card tests, by id and by name."""

    id: str
    title: str


@dataclass(frozen=True)
class Row:
    """An option or a step as it is listed: its letter, its text and its explanation."""

    label: str
    text: Line
    right: bool
    says: Prose


@dataclass(frozen=True)
class SymbolRow:
    """A symbol of a growth and its meaning."""

    latex: str
    meaning: Line


@dataclass(frozen=True)
class Trap:
    """A wrong answer and its explanation; the answer is empty where the explanation quotes it."""

    gives: Line
    says: Prose


@dataclass(frozen=True)
class Working:
    """The calculation of a number for one draw.

    label        the question's id as words
    formula      LaTeX with names
    given        each drawn value: its name in LaTeX, the value as text
    substituted  LaTeX with numbers; empty where the formula has no names
    result       the value with its unit; first in the base unit where that is another
    """

    label: str
    formula: str
    given: tuple[tuple[str, str], ...]
    substituted: str
    result: str


@dataclass(frozen=True)
class Bound:
    """A growth to remember: label, LaTeX of the big O, what the symbols mean."""

    label: str
    latex: str


@dataclass(frozen=True)
class Answer:
    """Everything that a self-test leaves out.

    right    the right options, or the steps in their order
    text     the answer, where it is a text
    prints   the output of a snippet
    also     other accepted wordings
    points   the key points of a spoken answer
    """

    text: Prose = ()
    right: tuple[Row, ...] = ()
    prints: str = ""
    also: tuple[Line, ...] = ()
    points: tuple[Line, ...] = ()
    working: Working | None = None
    bound: Bound | None = None
    why: Prose = ()
    traps: tuple[Trap, ...] = ()


@dataclass(frozen=True)
class Card:
    """One question. ``missed`` says why the learner should see it again, or is empty."""

    id: str
    number: int
    kind: str
    level: str
    concepts: tuple[Concept, ...]
    ask: Prose
    symbols: tuple[SymbolRow, ...]
    where: tuple[str, ...]
    snippet: str
    rows: tuple[Row, ...]
    several: bool
    answer: Answer
    sources: tuple[str, ...]
    exercise: str | None
    follow_ups: tuple[str, ...]
    missed: str = ""


@dataclass(frozen=True)
class Limit:
    """A line of an exercise's contract: the meter, the bound on its reading, and the measured
    reading of the solution."""

    meter: str
    latex: str
    says: str
    measured: str = ""


@dataclass(frozen=True)
class Drill:
    """An exercise that trains what the section is about."""

    id: str
    title: str
    level: str
    minutes: int
    runtime: str
    limits: tuple[Limit, ...]
    hints: int


@dataclass(frozen=True)
class Reference:
    """A primary source; ``url`` is empty where there is no page to link to."""

    id: str
    text: str
    title: str
    place: str
    url: str


Picture = MaskPicture | Plot


@dataclass(frozen=True)
class Section:
    """One topic."""

    topic: str
    title: str
    template: Prose
    cards: tuple[Card, ...]
    drills: tuple[Drill, ...]
    references: tuple[Reference, ...]
    masks: tuple[MaskPicture, ...] = ()
    plots: tuple[Plot, ...] = ()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Masks, then curves."""
        return (*self.masks, *self.plots)

    @property
    def workings(self) -> tuple[tuple[Card, Working], ...]:
        """The numbers that the section's questions work out."""
        return tuple((c, c.answer.working) for c in self.cards if c.answer.working is not None)

    @property
    def bounds(self) -> tuple[tuple[Card, Bound], ...]:
        """The growths that the section's questions ask for."""
        return tuple((c, c.answer.bound) for c in self.cards if c.answer.bound is not None)


@dataclass(frozen=True)
class Sheet:
    """A sheet: its sections in order. Without ``answers`` it is a self-test."""

    title: str
    note: str
    answers: bool
    sections: tuple[Section, ...]

    @property
    def cards(self) -> tuple[Card, ...]:
        return tuple(card for section in self.sections for card in section.cards)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each question, by id."""
        return {card.id: card.number for card in self.cards}
