"""A question as a card: texts filled in, options lettered, its number worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from quizprep.content import mathtext
from quizprep.content.draws import (
    answer_value,
    fill,
    number_text,
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
from quizprep.errors import ContentError, Problem
from quizprep.quiz.marking.number import quantity_text
from quizprep.quiz.presented import Presented, label
from quizprep.quiz.scheduling import kind_of
from quizprep.sheets import formula_tex
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
from quizprep.sheets.prose import Line, Math, Prose, Words, line, prose
from quizprep.units import Unit, find

_BASES = {"data": "bytes", "work": "flops", "time": "s"}


def card(
    posed: Presented, numbers: Mapping[str, int], concepts: Sequence[Concept], missed: str
) -> Card:
    """The card of a question with its draw.

    numbers  every question of the sheet with its number; only those are named as follow-ups
    missed   why the learner is shown it, or nothing

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
            SymbolRow(formula_tex.name_tex(name), write.line(meaning))
            for name, meaning in symbols.items()
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

    def __init__(self, posed: Presented) -> None:
        self.posed = posed
        self.question: Question = posed.question

    def filled(self, text: str) -> str:
        full = fill(text, self.question, self.posed.values)
        if faults := mathtext.problems(full):
            raise ContentError([Problem(self.question.id, None, "", fault) for fault in faults])
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
            # ``shown`` holds, for each row, the step's place in the right order.
            in_order = sorted(zip(write.posed.shown, rows, strict=True), key=lambda each: each[0])
            return Answer(right=tuple(row for _, row in in_order), why=why)
        case Number():
            working = _working(question, write.posed)
            text = prose(working.result)
            return Answer(text=text, working=working, why=why, traps=_number_traps(write, question))
        case Growth(answer=answer):
            latex = formula_tex.growth(answer)
            traps = tuple(
                Trap((Math(formula_tex.growth(trap.gives)),), write.prose(trap.says))
                for trap in question.traps
            )
            bound = Bound(formula_tex.words(question.id), latex)
            return Answer(text=prose(f"${latex}$"), bound=bound, why=why, traps=traps)
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


# --- numbers -------------------------------------------------------------------------------


def _unit(question: Number) -> Unit:
    return find(question.unit) or Unit(question.unit, question.unit.casefold(), Fraction(1))


def _working(question: Number, posed: Presented) -> Working:
    values = symbol_values(question, posed.values)
    names = parsed(question.answer).symbols
    return Working(
        label=formula_tex.words(question.id),
        formula=formula_tex.symbolic(question.answer),
        given=tuple(
            (formula_tex.name_tex(name), number_text(values[name]))
            for name in [*question.given, *question.show]
            if name in names and name in values
        ),
        substituted=formula_tex.substituted(question.answer, values) if names else "",
        result=_result(answer_value(question, posed.values), _unit(question)),
    )


def _result(value: Fraction | float, unit: Unit) -> str:
    """``131,072 bytes = 128 KiB``: in the base unit first, where it is another."""
    exact = Fraction(value)
    asked = quantity_text(exact / unit.factor, unit)
    if unit.factor == 1:
        return asked
    names = [_BASES.get(part, part) for part in unit.dimension.split("/")]
    base = Unit("/".join(names), unit.dimension, Fraction(1))
    return f"{quantity_text(exact, base)} = {asked}"


def _number_traps(write: _Writer, question: Number) -> tuple[Trap, ...]:
    unit = _unit(question)
    values = trap_values(question, write.posed.values)
    return tuple(
        Trap((Words(quantity_text(Fraction(value) / unit.factor, unit)),), write.prose(trap.says))
        for trap, value in zip(question.traps, values, strict=True)
    )
