"""The content of a sheet before it gets a format, with texts filled in and numbers computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quizprep.content.exercises import ExerciseSpec
from quizprep.formula.latex import spoken
from quizprep.sheets.prose import Code, Line, Prose, Words
from quizprep.sheets.svg import MaskPicture, Plot


@dataclass(frozen=True)
class Row:
    """An option or a step as it is listed: its letter, its text and its explanation."""

    label: str
    text: Line
    right: bool
    says: Prose


@dataclass(frozen=True)
class Trap:
    """A wrong answer and its explanation; the answer is empty where the explanation quotes it."""

    gives: Line
    says: Prose


@dataclass(frozen=True)
class Working:
    """The calculation of a number for one draw.

    formula      LaTeX with names
    given        each drawn value: its name in LaTeX, the value as text
    substituted  LaTeX with numbers; empty where the formula has no names
    result       the value with its unit; first in the base unit where that is another
    """

    formula: str
    given: tuple[tuple[str, str], ...]
    substituted: str
    result: str


@dataclass(frozen=True)
class Answer:
    """Everything that a self-test leaves out.

    right    the right options, or the steps in their order
    text     the answer, where it is a text
    prints   the output of a snippet
    also     other accepted wordings
    points   the key points of a spoken answer
    bound    the big O of a growth, in LaTeX
    """

    text: Prose = ()
    right: tuple[Row, ...] = ()
    prints: str = ""
    also: tuple[Line, ...] = ()
    points: tuple[Line, ...] = ()
    working: Working | None = None
    bound: str = ""
    why: Prose = ()
    traps: tuple[Trap, ...] = ()


@dataclass(frozen=True)
class Card:
    """One question.

    concepts    the ideas that it tests: the id and the title of each
    symbols     the symbols of a growth: the LaTeX and the meaning of each
    several     whether more than one option is right
    follow_ups  those on this sheet: the id and the number of each
    missed      why the learner should see it again, or nothing
    """

    id: str
    number: int
    kind: str
    level: str
    concepts: tuple[tuple[str, str], ...]
    ask: Prose
    symbols: tuple[tuple[str, Line], ...]
    where: tuple[str, ...]
    snippet: str
    rows: tuple[Row, ...]
    several: bool
    answer: Answer
    sources: tuple[str, ...]
    exercise: str | None
    follow_ups: tuple[tuple[str, int], ...]
    missed: str = ""

    @property
    def label(self) -> str:
        """The id as words."""
        return spoken(self.id)

    @property
    def kind_name(self) -> str:
        """What readers call a question of this kind."""
        return {"cloze": "gap", "open": "spoken"}.get(self.kind, self.kind)

    @property
    def instruction(self) -> str:
        """What the learner is to do, where the question does not say so."""
        if self.kind == "order":
            return "Put these in order."
        return "More than one may be right." if self.several else ""

    @property
    def key(self) -> tuple[Line, ...]:
        """The answer in short, for the end of a self-test; of a spoken one its points."""
        answer = self.answer
        if answer.points:
            return answer.points
        if answer.right:
            return ((Words(", ".join(row.label for row in answer.right)),),)
        if answer.prints:
            return tuple((Code(printed),) for printed in answer.prints.split("\n"))
        return tuple(block for block in answer.text if isinstance(block, tuple))

    @property
    def ruled(self) -> int:
        """How many lines to write on stand under the question in a printed self-test."""
        return _RULED.get(self.kind, 0)


_RULED = {"open": 9, "number": 4, "growth": 3, "code": 3, "order": 1, "cloze": 1}


@dataclass(frozen=True)
class Limit:
    """A line of an exercise's contract: the meter, the bound on its reading, and the measured
    cost of the solution; formulas in LaTeX."""

    meter: str
    latex: str
    says: str
    measured: str = ""


@dataclass(frozen=True)
class Drill:
    """An exercise that trains what the section is about."""

    id: str
    spec: ExerciseSpec
    limits: tuple[Limit, ...]


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
class KnownFormula:
    """A formula to know by heart, in LaTeX, and what it is."""

    says: Line
    latex: str
    weight: int


@dataclass(frozen=True)
class KnownNumber:
    """A number to know by heart: how it is computed, with numbers, and the round result."""

    says: Line
    working: str
    result: str
    weight: int


@dataclass(frozen=True)
class Refuted:
    """A wrong claim, and what is right."""

    claim: Line
    truth: Line
    weight: int


Known = KnownFormula | KnownNumber | Refuted


@dataclass(frozen=True)
class Essence:
    """What a cheat sheet says of a topic: a sentence, and what to know, in order."""

    say: Line
    known: tuple[Known, ...] = ()
    picture: Literal["mask", "growth"] | None = None


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
    essence: Essence = Essence(())

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Masks, then curves."""
        return (*self.masks, *self.plots)

    @property
    def numbers(self) -> tuple[Card, ...]:
        """The questions whose answer is a number or a growth to remember."""
        return tuple(card for card in self.cards if card.answer.working or card.answer.bound)


@dataclass(frozen=True)
class Sheet:
    """A sheet: its sections in order. Without ``answers`` it is a self-test with a key at its
    end."""

    title: str
    note: str
    answers: bool
    sections: tuple[Section, ...]

    @property
    def cards(self) -> tuple[Card, ...]:
        return tuple(card for section in self.sections for card in section.cards)
