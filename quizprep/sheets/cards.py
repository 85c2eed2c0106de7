"""A question as a card: texts filled in, options lettered, numbers worked out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from quizprep.content.draws import answer_value, fill, parsed, symbol_values, trap_values
from quizprep.content.questions import (
    Choice,
    Cloze,
    Code,
    Growth,
    Number,
    Open,
    Order,
    Question,
)
from quizprep.content.questions import Trap as TrapSpec
from quizprep.formula.latex import growth_latex, latex, name_latex
from quizprep.quiz.marking.number import quantity_text
from quizprep.quiz.presented import Presented, label
from quizprep.quiz.scheduling import kind_of
from quizprep.sheets.model import Answer, Card, Row, Trap, Working
from quizprep.sheets.prose import Line, Math, Prose, Words, check_maths, line, prose
from quizprep.text import number_text
from quizprep.units import Unit, base, named


def card(
    presented: Presented,
    numbers: Mapping[str, int],
    concepts: tuple[tuple[str, str], ...],
    missed: str,
) -> Card:
    """The card of a question with the numbers that were drawn for it.

    numbers   the number of each question on the sheet; other follow-ups are left out
    concepts  the id and the title of each
    missed    why the learner should see it again, or nothing

    Raises ContentError for mathematics that cannot be set.
    """
    question = presented.question
    write = _Writer(presented)
    rows = _rows(write)
    symbols = question.symbols if isinstance(question, Growth) else {}
    return Card(
        id=question.id,
        number=numbers[question.id],
        kind=kind_of(question),
        level=question.level.value,
        concepts=concepts,
        ask=write.prose(question.ask),
        symbols=tuple((name_latex(name), write.line(meaning)) for name, meaning in symbols.items()),
        where=question.where if isinstance(question, Growth) else (),
        snippet=question.snippet.strip("\n") if isinstance(question, Code) else "",
        rows=rows,
        several=isinstance(question, Choice) and sum(o.right for o in question.options) > 1,
        answer=replace(_answer(write, rows), why=write.prose(question.why)),
        sources=question.sources,
        exercise=question.exercise,
        follow_ups=tuple((n, numbers[n]) for n in question.follow_ups if n in numbers),
        missed=missed,
    )


class _Writer:
    """The texts of one question, filled and checked."""

    def __init__(self, presented: Presented) -> None:
        self.presented = presented
        self.question: Question = presented.question

    def filled(self, text: str) -> str:
        full = fill(text, self.question, self.presented.values)
        check_maths(self.question.id, "", full)
        return full

    def prose(self, text: str) -> Prose:
        return prose(self.filled(text)) if text.strip() else ()

    def line(self, text: str) -> Line:
        return line(self.filled(text))


def _rows(write: _Writer) -> tuple[Row, ...]:
    """Options or steps in the order in which they are shown, with their letters."""
    match write.question:
        case Choice(options=options):
            shown = [options[place] for place in write.presented.shown]
            return tuple(
                Row(label(row), write.line(each.text), each.right, write.prose(each.says))
                for row, each in enumerate(shown)
            )
        case Order(listed=steps):
            return tuple(
                Row(label(row), write.line(steps[place]), True, ())
                for row, place in enumerate(write.presented.shown)
            )
    return ()


def _answer(write: _Writer, rows: tuple[Row, ...]) -> Answer:
    """The answer without its explanation."""
    question = write.question
    match question:
        case Choice():
            wrong = [row for row in rows if not row.right and row.says]
            return Answer(
                right=tuple(row for row in rows if row.right),
                traps=tuple(Trap(row.text, row.says) for row in wrong),
            )
        case Order():
            # ``shown`` holds each row's place in the right order.
            in_order = sorted(
                zip(write.presented.shown, rows, strict=True), key=lambda each: each[0]
            )
            return Answer(right=tuple(row for _, row in in_order))
        case Number(traps=traps):
            working, unit = _working(question, write.presented), named(question.unit)
            values = trap_values(question, write.presented.values)
            texts = (quantity_text(Fraction(value) / unit.factor, unit) for value in values)
            gives = ((Words(text),) for text in texts)
            return Answer(
                text=prose(working.result), working=working, traps=_traps(write, traps, gives)
            )
        case Growth(answer=answer, traps=traps):
            bound = growth_latex(parsed(answer))
            bounds = ((Math(growth_latex(parsed(trap.gives))),) for trap in traps)
            text = prose(f"${bound}$")
            return Answer(text=text, bound=bound, traps=_traps(write, traps, bounds))
        case Cloze(accept=accept, traps=traps):
            return Answer(
                text=write.prose(accept[0]),
                also=tuple(write.line(text) for text in accept[1:]),
                traps=_traps(write, traps, (write.line(trap.gives) for trap in traps)),
            )
        case Code(prints=prints, traps=traps):
            outputs = ((Words(trap.gives.strip()),) for trap in traps)
            return Answer(prints=prints.strip("\n"), traps=_traps(write, traps, outputs))
        case Open(model=model, points=points, wrong=claims):
            return Answer(
                text=write.prose(model),
                points=tuple(write.line(point.says) for point in points),
                traps=tuple(Trap((), write.prose(claim.says)) for claim in claims),
            )


def _traps(write: _Writer, traps: Sequence[TrapSpec], gives: Iterable[Line]) -> tuple[Trap, ...]:
    return tuple(
        Trap(given, write.prose(trap.says)) for trap, given in zip(traps, gives, strict=True)
    )


def _working(question: Number, presented: Presented) -> Working:
    values = symbol_values(question, presented.values)
    names = parsed(question.answer).symbols
    return Working(
        formula=latex(parsed(question.answer)),
        given=tuple(
            (name_latex(name), number_text(values[name]))
            for name in [*question.given, *question.show]
            if name in names and name in values
        ),
        substituted=latex(parsed(question.answer), values) if names else "",
        result=_result(answer_value(question, presented.values), named(question.unit)),
    )


def _result(value: Fraction | float, unit: Unit) -> str:
    """``131,072 bytes = 128 KiB``: first in the base unit, where the unit is another one."""
    exact = Fraction(value)
    asked = quantity_text(exact / unit.factor, unit)
    if unit.factor == 1:
        return asked
    return f"{quantity_text(exact, base(unit))} = {asked}"
