"""A question as a card: texts filled in, options lettered, numbers worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from quizprep.content.draws import (
    answer_value,
    fill,
    parsed,
    symbol_values,
    trap_values,
)
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
from quizprep.formula.latex import growth_latex, latex, name_latex, spoken
from quizprep.quiz.labels import label
from quizprep.quiz.marking.number import quantity_text
from quizprep.quiz.presented import Posed
from quizprep.quiz.scheduling import kind_of
from quizprep.sheets.model import (
    Answer,
    Bound,
    Card,
    Concept,
    Row,
    SymbolRow,
    Trap,
    Working,
)
from quizprep.sheets.prose import Line, Math, Prose, Words, check_maths, line, prose
from quizprep.text import number_text
from quizprep.units import Unit, base, named


def card(
    posed: Posed, numbers: Mapping[str, int], concepts: Sequence[Concept], missed: str
) -> Card:
    """The card of a question with the numbers that were drawn for it.

    numbers  the number of each question on the sheet; other follow-ups are not named
    missed   why the learner should see it again, or nothing

    Raises ContentError for mathematics that cannot be set.
    """
    question = posed.question
    write = _Writer(posed)
    rows = _rows(write)
    symbols = question.symbols if isinstance(question, Growth) else {}
    return Card(
        id=question.id,
        number=numbers[question.id],
        kind=kind_of(question),
        level=question.level.value,
        concepts=tuple(concepts),
        ask=write.prose(question.ask),
        symbols=tuple(
            SymbolRow(name_latex(name), write.line(meaning)) for name, meaning in symbols.items()
        ),
        where=question.where if isinstance(question, Growth) else (),
        snippet=question.snippet.strip("\n") if isinstance(question, Code) else "",
        rows=rows,
        several=isinstance(question, Choice) and sum(o.right for o in question.options) > 1,
        answer=_answer(write, rows),
        sources=question.sources,
        exercise=question.exercise,
        follow_ups=tuple(name for name in question.follow_ups if name in numbers),
        missed=missed,
    )


class _Writer:
    """The texts of one question, filled and checked."""

    def __init__(self, posed: Posed) -> None:
        self.posed = posed
        self.question: Question = posed.question

    def filled(self, text: str) -> str:
        full = fill(text, self.question, self.posed.values)
        check_maths(self.question.id, "", full)
        return full

    def prose(self, text: str) -> Prose:
        return prose(self.filled(text)) if text.strip() else ()

    def line(self, text: str) -> Line:
        return line(self.filled(text))


def _rows(write: _Writer) -> tuple[Row, ...]:
    match write.question:
        case Choice(options=options):
            return tuple(
                Row(
                    label(row),
                    write.line(options[place].text),
                    options[place].right,
                    write.prose(options[place].says),
                )
                for row, place in enumerate(write.posed.shown)
            )
        case Order(steps=steps):
            return tuple(
                Row(label(row), write.line(steps[place]), True, ())
                for row, place in enumerate(write.posed.shown)
            )
    return ()


def _answer(write: _Writer, rows: tuple[Row, ...]) -> Answer:
    question = write.question
    why = write.prose(question.why)
    match question:
        case Choice():
            return Answer(
                right=tuple(row for row in rows if row.right),
                why=why,
                traps=tuple(Trap(row.text, row.says) for row in rows if not row.right and row.says),
            )
        case Order():
            # ``shown`` holds each row's place in the right order.
            in_order = sorted(zip(write.posed.shown, rows, strict=True), key=lambda each: each[0])
            return Answer(right=tuple(row for _, row in in_order), why=why)
        case Number():
            working = _working(question, write.posed)
            text = prose(working.result)
            return Answer(text=text, working=working, why=why, traps=_number_traps(write, question))
        case Growth(answer=answer):
            bound = Bound(spoken(question.id), growth_latex(parsed(answer)))
            traps = tuple(
                Trap((Math(growth_latex(parsed(trap.gives))),), write.prose(trap.says))
                for trap in question.traps
            )
            return Answer(text=prose(f"${bound.latex}$"), bound=bound, why=why, traps=traps)
        case Cloze(accept=accept, traps=traps):
            return Answer(
                text=write.prose(accept[0]),
                also=tuple(write.line(text) for text in accept[1:]),
                why=why,
                traps=_text_traps(write, traps),
            )
        case Code(prints=prints, traps=traps):
            return Answer(prints=prints.strip("\n"), why=why, traps=_text_traps(write, traps, True))
        case Open(model=model, points=points, wrong=wrong):
            return Answer(
                text=write.prose(model),
                points=tuple(write.line(point.says) for point in points),
                why=why,
                traps=tuple(Trap((), write.prose(claim.says)) for claim in wrong),
            )


def _text_traps(
    write: _Writer, traps: Sequence[TrapSpec], verbatim: bool = False
) -> tuple[Trap, ...]:
    return tuple(
        Trap(
            (Words(trap.gives.strip()),) if verbatim else write.line(trap.gives),
            write.prose(trap.says),
        )
        for trap in traps
    )


def _working(question: Number, posed: Posed) -> Working:
    values = symbol_values(question, posed.values)
    names = parsed(question.answer).symbols
    return Working(
        label=spoken(question.id),
        formula=latex(parsed(question.answer)),
        given=tuple(
            (name_latex(name), number_text(values[name]))
            for name in [*question.given, *question.show]
            if name in names and name in values
        ),
        substituted=latex(parsed(question.answer), values) if names else "",
        result=_result(answer_value(question, posed.values), named(question.unit)),
    )


def _result(value: Fraction | float, unit: Unit) -> str:
    """``131,072 bytes = 128 KiB``: first in the base unit, where the unit is another one."""
    exact = Fraction(value)
    asked = quantity_text(exact / unit.factor, unit)
    if unit.factor == 1:
        return asked
    return f"{quantity_text(exact, base(unit))} = {asked}"


def _number_traps(write: _Writer, question: Number) -> tuple[Trap, ...]:
    unit = named(question.unit)
    values = trap_values(question, write.posed.values)
    return tuple(
        Trap((Words(quantity_text(Fraction(value) / unit.factor, unit)),), write.prose(trap.says))
        for trap, value in zip(question.traps, values, strict=True)
    )
