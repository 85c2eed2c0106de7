"""A question as it is put to a learner once: with its numbers drawn and its options shuffled."""

from __future__ import annotations

import random
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


@dataclass(frozen=True)
class Posed:
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
        # Imported where they have something to do: most first questions need neither, and the
        # prompt is there sooner.
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
        match self.question:
            case Choice(options=options):
                return tuple(self.text(options[place].text) for place in self.shown)
            case Order(steps=steps):
                return tuple(self.text(steps[place]) for place in self.shown)
        return ()


def pose(topic: str, question: Question, seed: int) -> Posed:
    """The question with the draw that a seed gives; raises ContentError where there is none."""
    return Posed(topic, question, seed, _drawn(question, seed), _shuffled(question, seed))


def _drawn(question: Question, seed: int) -> dict[str, Scalar]:
    if not question.given and not question.show and not isinstance(question, Growth | Number):
        return {}
    from quizprep.content.draws import draw

    return draw(question, seed)


def _shuffled(question: Question, seed: int) -> tuple[int, ...]:
    match question:
        case Choice(options=rows) | Order(steps=rows):
            places = list(range(len(rows)))
            dice = random.Random(f"{question.id}:{seed}:order")
            dice.shuffle(places)
            # Steps that happen to lie in the right order would give the answer away.
            while isinstance(question, Order) and places == sorted(places):
                dice.shuffle(places)
            return tuple(places)
    return ()


def could_be_a_reply(question: Question, key: str) -> bool:
    """Whether a lone letter may be meant as the answer, so that it is no key of the prompt."""
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
