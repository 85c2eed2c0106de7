"""``quizprep grade --predict``: say what it will cost before it is measured."""

from __future__ import annotations

from collections.abc import Mapping

from quizprep.cli.terminal import Terminal
from quizprep.content.exercises import ExerciseSpec
from quizprep.formula import FormulaError, Polynomial, dominated, parse, relation
from quizprep.grading.verdict import Verdict

_ASKED = {
    "flops": "flops",
    "peak_bytes": "bytes of working memory at the peak",
    "held_bytes": "bytes that stay after the call",
    "moved_bytes": "bytes read from and written to main memory",
    "calls": "programs or operations launched",
}


def ask_predictions(spec: ExerciseSpec, terminal: Terminal) -> dict[str, str]:
    """One formula a meter, as typed; an empty reply skips the meter."""
    names = ", ".join(spec.contract.sizes)
    terminal.say(f"Before it is measured: what will your code cost? Use {names}; such as 4*"
                 f"{'*'.join(list(spec.contract.sizes)[:2])}, or empty to skip.")  # fmt: skip
    found: dict[str, str] = {}
    for meter in spec.contract.limits():
        while True:
            reply = terminal.ask(f"{_ASKED[meter]} = ")
            if reply is None:
                return found
            if not reply.strip():
                break
            try:
                read_formula(reply, spec)
            except FormulaError as error:
                terminal.say(f"That {error}. Only {names} and numbers are known here.", "yellow")
                continue
            found[meter] = reply.strip()
            break
    return found


def read_formula(text: str, spec: ExerciseSpec) -> Polynomial:
    """The polynomial a learner typed; raises FormulaError, also for an unknown symbol."""
    polynomial = parse(text).expand()
    unknown = sorted(polynomial.symbols - set(spec.contract.sizes))
    if unknown:
        raise FormulaError(f"uses {', '.join(unknown)}")
    return polynomial


def show_predictions(
    predictions: Mapping[str, str], verdict: Verdict, spec: ExerciseSpec, terminal: Terminal
) -> None:
    """Each prediction beside what was measured, with what the difference is."""
    measured = {reading.meter: reading.formula for reading in verdict.stage("cost").readings}
    where = [relation(text) for text in spec.contract.where]
    for meter, text in predictions.items():
        formula = measured.get(meter, "")
        if not formula:
            terminal.say(f"{meter}: you said {text}; it was not measured as a formula.", "dim")
            continue
        said = read_formula(text, spec)
        found = parse(formula).expand()
        if said == found:
            terminal.say(f"{meter}: you said {text}, and it is exactly that.", "green")
        elif dominated(said, found, where) and dominated(found, said, where):
            terminal.say(
                f"{meter}: you said {text}; measured {formula}. The growth is right, constants "
                "or smaller terms are not.",
                "yellow",
            )
        else:
            way = "less" if dominated(said, found, where) else "more"
            if not dominated(said, found, where) and not dominated(found, said, where):
                way = "other"
            terminal.say(
                f"{meter}: you said {text}; measured {formula}, which grows {_than(way)}.", "red"
            )


def _than(way: str) -> str:
    return {"less": "faster", "more": "more slowly", "other": "in other symbols"}[way]
