"""``quizprep grade --predict``: say what it will cost before it is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quizprep.cli.terminal import Style, Terminal
from quizprep.content.exercises import Contract
from quizprep.formula import (
    FormulaError,
    Polynomial,
    Relation,
    dominated,
    parse,
    relation,
)
from quizprep.formula.growth_text import BIG_O, read_growth
from quizprep.grading.verdict import Verdict
from quizprep.meter import Meter, MeterKind

_MEANS = {
    MeterKind.FLOPS: "matrix products",
    MeterKind.PEAK_BYTES: "most working memory alive at once",
    MeterKind.HELD_BYTES: "alive after the call",
    MeterKind.MOVED_BYTES: "to and from main memory",
    MeterKind.CALLS: "operations, or a kernel's programs",
}


@dataclass(frozen=True)
class Prediction:
    """What a learner typed, and the polynomial that it stands for.

    where  the relations that roots and logarithms in it bring along
    """

    text: str
    polynomial: Polynomial
    where: tuple[Relation, ...] = ()

    @property
    def is_growth(self) -> bool:
        """Whether a growth was meant: constants and smaller terms are then no mistake."""
        return BIG_O.match(self.text) is not None


def read_prediction(text: str, symbols: Sequence[str]) -> Prediction:
    """A formula such as ``4*b*h*n*d``, or a growth as ``ask`` takes it: ``4bhnd``, ``O(n^2 d)``.

    Raises FormulaError, also for a symbol that is not there.
    """
    text = text.strip()
    try:
        formula = parse(text)
        if formula.symbols <= {*symbols}:
            return Prediction(text, formula.expand())
    except FormulaError:
        pass  # it may be a growth
    growth = read_growth(text, symbols)
    return Prediction(text, growth.polynomial, growth.where)


def ask_predictions(contract: Contract, terminal: Terminal) -> dict[Meter, Prediction]:
    """A prediction for each meter; an empty reply skips the meter."""
    symbols = list(contract.sizes)
    names, example = ", ".join(symbols), symbols[: min(len(symbols), 4)]
    terminal.say(
        f"Before it is measured: what will your code cost? Type a formula in {names}, such as "
        f"4*{'*'.join(example)}, or a growth, such as O({'*'.join(example)}). An empty line skips."
    )
    found: dict[Meter, Prediction] = {}
    for meter in contract.limits():
        while True:
            reply = terminal.ask(f"{meter.title} ({_MEANS[meter.kind]}) = ")
            if reply is None:
                return found
            if not reply.strip():
                break
            try:
                found[meter] = read_prediction(reply, symbols)
            except FormulaError as error:
                terminal.say(f"That {error}. Only {names} and numbers are known here.", "yellow")
                continue
            break
    return found


def show_predictions(
    predictions: Mapping[Meter, Prediction],
    verdict: Verdict,
    contract: Contract,
    terminal: Terminal,
) -> None:
    """Each prediction beside what was measured, with what the difference is."""
    measured = {reading.meter: reading.formula for reading in verdict.stage("cost").readings}
    where = [relation(text) for text in contract.where]
    for meter, said in predictions.items():
        begin = f"{meter.title}: you said {said.text}"
        if formula := measured.get(meter, ""):
            outcome, style = _outcome(said, formula, where)
            terminal.say(f"{begin}{outcome}", style)
        else:
            terminal.say(f"{begin}; it was not measured as a formula.", "dim")


def _outcome(said: Prediction, formula: str, where: Sequence[Relation]) -> tuple[str, Style]:
    """How a prediction compares with the measured formula, and the style of that sentence."""
    found = parse(formula).expand()
    if said.polynomial == found:
        return ", and it is exactly that.", "green"
    where = (*where, *said.where)
    enough = dominated(found, said.polynomial, where)
    tight = dominated(said.polynomial, found, where)
    if enough and tight and said.is_growth:
        return f"; measured {formula}, which grows like that.", "green"
    if enough and tight:
        growth = "The growth is right, constants or smaller terms are not."
        return f"; measured {formula}. {growth}", "yellow"
    grows = "more slowly" if enough else "faster" if tight else "in other symbols"
    return f"; measured {formula}, which grows {grows}.", "red"
