"""A question as it is put to a learner once: numbers drawn, options shuffled and lettered."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from quizprep.content.questions import (
    Choice,
    Cloze,
    Code,
    Growth,
    Number,
    Order,
    Question,
    Scalar,
)

_FILLERS = {"and", "then", "option", "options", "answer", "only", "just"}
_SEPARATORS = re.compile(r"[\s,;.:/&+>()\[\]→-]+")
_ARROW = re.compile(r"[-=]+>")
_TO = r"\s*(?:-|–|—|\.\.+|…|\bto\b|\bthrough\b)\s*"
_RUN = re.compile(rf"(?<![a-z0-9])[a-z0-9](?:{_TO}[a-z0-9](?![a-z0-9]))+")
"""Single labels with hyphens or the like between them; two of them are a range."""


@dataclass(frozen=True)
class Presented:
    """A question with one draw.

    seed    gives the same numbers and the same order again
    values  a value for each parameter
    shown   the places of options or steps, in the order they are shown; empty for other kinds
    """

    topic: str
    question: Question
    seed: int
    values: dict[str, Scalar]
    shown: tuple[int, ...] = ()

    def text(self, source: str) -> str:
        """A text of the question as a terminal shows it."""
        # Imported only if needed: most first questions need neither, and the prompt comes sooner.
        if "{" in source or "}" in source:
            from quizprep.content.draws import fill

            source = fill(source, self.question, self.values)
        if "$" in source:
            from quizprep.maths import plain

            source = plain(source)
        return source.strip()

    @property
    def rows(self) -> tuple[str, ...]:
        """The options or steps, in the order they are shown."""
        return tuple(map(self.text, self.sources))

    @property
    def sources(self) -> tuple[str, ...]:
        """The same as they stand in the bank."""
        match self.question:
            case Choice(options=options):
                return tuple(options[place].text for place in self.shown)
            case Order(listed=steps):
                return tuple(steps[place] for place in self.shown)
        return ()


def present(topic: str, question: Question, seed: int) -> Presented:
    """The question with the draw of a seed; raises ContentError if there is none."""
    return Presented(topic, question, seed, _drawn(question, seed), _shuffled(question, seed))


def _drawn(question: Question, seed: int) -> dict[str, Scalar]:
    if not question.given and not question.show and not isinstance(question, Growth | Number):
        return {}
    from quizprep.content.draws import draw

    return draw(question, seed)


def _shuffled(question: Question, seed: int) -> tuple[int, ...]:
    match question:
        case Choice(options=rows) | Order(listed=rows):
            places = list(range(len(rows)))
            dice = random.Random(f"{question.id}:{seed}:order")
            dice.shuffle(places)
            # Steps shown in a right order would give the answer away.
            while isinstance(question, Order) and in_order(question, places):
                dice.shuffle(places)
            return tuple(places)
    return ()


def in_order(question: Order, places: Sequence[int]) -> bool:
    """Whether steps, given by their places among those listed, stand in a right order."""
    ranks = [question.ranks[place] for place in places]
    return ranks == sorted(ranks)


def could_be_a_reply(question: Question, key: str) -> bool:
    """Whether a single letter may be the answer, so that it is not a key of the prompt."""
    match question:
        case Growth(symbols=symbols):
            return key in {name.casefold() for name in symbols}
        case Cloze(accept=accept, traps=traps):
            texts = [*accept, *(trap.gives for trap in traps)]
        case Code(prints=prints, traps=traps):
            texts = [prints, *(trap.gives for trap in traps)]
        case _:
            return False
    return key in {text.strip().casefold() for text in texts}


def key_of(question: Question, reply: str, keys: Collection[str]) -> str | None:
    """The prompt's key that was typed, if any; ``:q`` always is one, q only if it is no answer."""
    text = reply.strip().casefold()
    if text.startswith(":") and text[1:] in keys:
        return text[1:]
    return text if text in keys and not could_be_a_reply(question, text) else None


def colon_for(question: Question, keys: Collection[str]) -> str:
    """The prefix of keys at this question's prompt: a colon if one of them may be the answer."""
    return ":" if any(could_be_a_reply(question, key) for key in keys) else ""


def label(row: int) -> str:
    """The letter before a row: ``a`` for row 0."""
    return chr(ord("a") + row)


def read_labels(text: str, count: int) -> list[int] | None:
    """The rows (from 0) that a reply names by letter or number, in its order.

    ``a, c``, ``A C``, ``ac``, ``1 3`` and ``13`` are read alike, and ``a-d`` is a to d. None if a
    part is not one of the labels, or if a row is named twice.
    """
    plain = _RUN.sub(_written_out, _ARROW.sub(" ", text.casefold()))
    parts = [part for part in _SEPARATORS.split(plain) if part and part not in _FILLERS]
    rows: list[int] = []
    for part in parts:
        for character in part:
            row = _row(character)
            if row is None or not 0 <= row < count or row in rows:
                return None
            rows.append(row)
    return rows or None


def _written_out(run: re.Match[str]) -> str:
    """``abcd`` for ``a-d``, and ``?`` for a span that runs backwards; a longer run is a list."""
    labels = re.split(_TO, run[0])
    if len(labels) > 2:
        return " ".join(labels)
    first, last = labels
    rows = range(ord(first), ord(last) + 1) if first.isdigit() == last.isdigit() else ()
    return "".join(map(chr, rows)) or "?"


def _row(character: str) -> int | None:
    if "a" <= character <= "z":
        return ord(character) - ord("a")
    return int(character) - 1 if character in "123456789" else None
