"""What a cheat sheet says of a topic, from ``questions/cheat.yaml``; numbers are computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from quizprep.content.cheat import CheatContent, ClaimEntry, Entry, FormulaEntry
from quizprep.content.draws import parsed
from quizprep.content.questions import Bank
from quizprep.quiz.marking.number import quantity_text
from quizprep.sheets.model import Essence, Known, KnownFormula, KnownNumber, Refuted
from quizprep.sheets.prose import Line, check_maths, first_sentence, line
from quizprep.units import named

ROUND = 3
"""Significant digits of a number to know by heart."""


def essence(content: CheatContent, bank: Bank) -> Essence:
    """The essence of a bank's topic; where none is written, how its spoken template begins."""
    found = content.topics.get(bank.topic)
    if found is None:
        return Essence(first_sentence(bank.template))
    known = tuple(_known(content, entry) for entry in found.entries)
    return Essence(_line(found.say), known, found.picture)


def _line(text: str) -> Line:
    check_maths("cheat.yaml", "", text)
    return line(text)


_NAME = re.compile(r"[A-Za-z_]\w*(?!\w|\s*\()")


def _worked(formula: str, values: Mapping[str, float]) -> str:
    """A formula on one line, with numbers in the place of names."""
    filled = _NAME.sub(lambda name: f"{values[name[0]]}", formula)
    return filled.replace("**", "^").replace("*", "\N{MIDDLE DOT}")


def _known(content: CheatContent, entry: Entry) -> Known:
    match entry:
        case FormulaEntry():
            check_maths("cheat.yaml", "", f"${entry.formula}$")
            return KnownFormula(_line(entry.says), entry.formula, entry.weight)
        case ClaimEntry():
            return Refuted(_line(entry.claim), _line(entry.truth), entry.weight)
    values, unit = content.values(entry), named(entry.unit)
    formula = parsed(entry.answer)
    exact = Fraction(formula.evaluate(values)) / unit.factor
    shown, digits = exact, ROUND
    while shown and digits < 12 and abs(shown) >= 10**digits:
        digits += 1
    rounded = Fraction(f"{float(exact):.{digits}g}")
    about = "" if rounded == exact else "\N{ALMOST EQUAL TO} "
    return KnownNumber(
        _line(entry.says),
        _worked(formula.text, values),
        about + quantity_text(rounded, unit),
        entry.weight,
    )
