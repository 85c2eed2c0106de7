"""The types of a question bank, as `questions/<topic>.yaml` holds them."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=80)]
Text = Annotated[str, Meta(min_length=1, max_length=4000)]
Scalar = int | float | str


class Level(enum.StrEnum):
    """How much experience an interviewer expects behind the answer."""

    JUNIOR = "junior"
    SENIOR = "senior"
    STAFF = "staff"


class Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The base of all types of content: frozen, by keyword, and an unknown field is an error."""

    # gc=False: content holds no cycles, and thousands of questions are made faster.


class Trap(Content, frozen=True, kw_only=True):
    """A wrong answer that has a name. ``gives`` is a formula over the question's ``given``."""

    gives: Text
    says: Text


class Option(Content, frozen=True, kw_only=True):
    """One option of a choice. ``says`` explains why it is wrong (or right)."""

    text: Text
    right: bool = False
    says: str = ""


class KeyPoint(Content, frozen=True, kw_only=True):
    """One point that an open answer should make.

    ``accept`` holds wordings: each is a group of words that must all occur near each other;
    ``|`` separates alternatives of one word and ``*`` ends a stem ("variance|spread grow*"); a
    group that begins with ``!`` may not stand in the same clause ("reduc* flops !same").
    """

    id: Id
    says: Text
    accept: Annotated[tuple[Text, ...], Meta(min_length=1)]


class Claim(Content, frozen=True, kw_only=True):
    """A wrong claim in an open answer; ``accept`` holds its wordings, as in KeyPoint."""

    says: Text
    accept: Annotated[tuple[Text, ...], Meta(min_length=1)]


class _Question(Content, frozen=True, kw_only=True, tag_field="kind"):
    id: Id
    level: Level
    concepts: Annotated[tuple[Id, ...], Meta(min_length=1)]
    ask: Text
    why: Text
    sources: Annotated[tuple[Id, ...], Meta(min_length=1)]
    exercise: Id | None = None
    follow_ups: tuple[Id, ...] = ()
    hint: str = ""
    given: dict[str, Annotated[tuple[Scalar, ...], Meta(min_length=1)]] = {}
    """Parameters of the question, each with the values to draw from; ``{name}`` shows the draw."""
    show: dict[str, Text] = {}
    """Derived values for the texts, as formulas: ``{name}`` shows the computed number."""


class Choice(_Question, frozen=True, kw_only=True, tag="choice"):
    """One or several right options; partial credit when several are right."""

    options: Annotated[tuple[Option, ...], Meta(min_length=2, max_length=8)]


class Number(_Question, frozen=True, kw_only=True, tag="number"):
    """A number with a unit. ``answer`` and the traps are formulas in the base unit."""

    answer: Text
    unit: str = ""
    tolerance: Annotated[str, Meta(pattern=r"^\d+(\.\d+)?%$")] = "0%"
    traps: tuple[Trap, ...] = ()


class Order(_Question, frozen=True, kw_only=True, tag="order"):
    """Steps to put in order; they are listed in the right one.

    A list in the place of a step holds steps that may come in any order among themselves.
    """

    steps: Annotated[
        tuple[Text | Annotated[tuple[Text, ...], Meta(min_length=2)], ...],
        Meta(min_length=2, max_length=8),
    ]

    @property
    def listed(self) -> tuple[str, ...]:
        """All steps, one after the other."""
        return tuple(step for group in self._groups for step in group)

    @property
    def ranks(self) -> tuple[int, ...]:
        """For each listed step the number of its group; steps of one group share it."""
        return tuple(rank for rank, group in enumerate(self._groups) for _ in group)

    @property
    def _groups(self) -> tuple[tuple[str, ...], ...]:
        return tuple((step,) if isinstance(step, str) else step for step in self.steps)


class Growth(_Question, frozen=True, kw_only=True, tag="growth"):
    """A big-O expression over ``symbols``, under relations such as ``window <= n``.

    ``also`` holds names that a reply may use besides, as formulas: ``d: D/h``.
    """

    answer: Text
    symbols: dict[str, Text]
    also: dict[str, Text] = {}
    where: tuple[Text, ...] = ()
    traps: tuple[Trap, ...] = ()


class Cloze(_Question, frozen=True, kw_only=True, tag="cloze"):
    """A text with one gap, written ``___``; ``accept`` lists the fillings that are right."""

    accept: Annotated[tuple[Text, ...], Meta(min_length=1)]
    traps: tuple[Trap, ...] = ()


class Code(_Question, frozen=True, kw_only=True, tag="code"):
    """A snippet that is really run when content is checked; it must print ``prints``."""

    snippet: Text
    prints: Text
    traps: tuple[Trap, ...] = ()


class Open(_Question, frozen=True, kw_only=True, tag="open"):
    """A spoken answer, matched against key points and against claims that are wrong."""

    points: Annotated[tuple[KeyPoint, ...], Meta(min_length=2)]
    model: Text
    """A good answer, as an interviewer would like to hear it."""
    wrong: tuple[Claim, ...] = ()


Question = Choice | Number | Order | Growth | Cloze | Code | Open


class ChainStep(Content, frozen=True, kw_only=True):
    """A question of a chain; ``back`` is an easier one for who could not answer it."""

    ask: Id
    back: Id | None = None


class Chain(Content, frozen=True, kw_only=True):
    """Three to five questions of any banks on one line of thought, each deeper than the last.

    ``quizprep.quiz.chains`` says which one comes next.
    """

    id: Id
    title: Text
    steps: Annotated[tuple[ChainStep, ...], Meta(min_length=3, max_length=5)]


class Bank(Content, frozen=True, kw_only=True):
    """One topic: its spoken template, its questions, and chains of questions."""

    format: Literal[1]
    topic: Id
    title: Text
    template: Text
    questions: Annotated[tuple[Question, ...], Meta(min_length=1)]
    chains: tuple[Chain, ...] = ()


class Concept(Content, frozen=True, kw_only=True):
    """A named idea that questions, exercises and mistakes point to."""

    title: Text
    topic: Id


class Source(Content, frozen=True, kw_only=True):
    """A primary source."""

    authors: Text
    year: Annotated[int, Meta(ge=1900, le=2100)]
    title: Text
    arxiv: Annotated[str, Meta(pattern=r"^\d{4}\.\d{4,5}$")] | None = None
    venue: str = ""
