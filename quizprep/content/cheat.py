"""What a cheat sheet shows of each topic: a sentence, formulas, numbers, claims that are wrong.

It lies in ``questions/cheat.yaml``. An entry is shown whole or not at all; where room is short, the
lightest are left out.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from quizprep.content.questions import Content, Id, Text

Weight = Annotated[int, Meta(ge=1, le=3)]


class Fact(Content, frozen=True, kw_only=True):
    """A model or machine with its figures, by the name that formulas use; ``source`` says them."""

    title: Text
    source: Id
    values: dict[str, int | float]


class FormulaEntry(Content, frozen=True, kw_only=True, tag_field="kind", tag="formula"):
    """A formula to know, in LaTeX."""

    says: Text
    formula: Text
    weight: Weight = 1


class NumberEntry(Content, frozen=True, kw_only=True, tag_field="kind", tag="number"):
    """A number to know. ``answer`` is a formula over the values of the facts ``of`` and the numbers
    ``given``, in the base unit of ``unit``."""

    says: Text
    answer: Text
    of: tuple[Id, ...] = ()
    given: dict[str, int | float] = msgspec.field(default_factory=dict)
    unit: str = ""
    weight: Weight = 1


class ClaimEntry(Content, frozen=True, kw_only=True, tag_field="kind", tag="claim"):
    """What people say wrongly, and what is right."""

    claim: Text
    truth: Text
    weight: Weight = 1


Entry = FormulaEntry | NumberEntry | ClaimEntry


class TopicCheat(Content, frozen=True, kw_only=True):
    """One topic: the sentence to say, and what to know by heart, in order.

    picture  the kind of the topic's pictures of which the first is shown
    """

    say: Text
    picture: Literal["mask", "growth"] | None = None
    entries: Annotated[tuple[Entry, ...], Meta(min_length=1)]


class CheatContent(Content, frozen=True, kw_only=True):
    """The whole file."""

    format: int
    facts: dict[Id, Fact] = msgspec.field(default_factory=dict)
    topics: dict[Id, TopicCheat] = msgspec.field(default_factory=dict)

    def values(self, entry: NumberEntry) -> dict[str, int | float]:
        """The values that an entry's formula may name."""
        found: dict[str, int | float] = {}
        for name in entry.of:
            found |= self.facts[name].values if name in self.facts else {}
        return found | entry.given
