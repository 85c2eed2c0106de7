"""``quizprep grade --predict``: every exercise asks for its costs, and compares what was said."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from quizprep.cli.predict import ask_predictions, read_prediction, show_predictions
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Exercise, Library, shipped_root
from quizprep.formula import FormulaError, parse
from quizprep.grading.verdict import Reading, Stage, Verdict
from quizprep.meter import Meter

LIBRARY = Library(shipped_root())
IN_PHASES = [e for e in LIBRARY.exercises if e.spec.contract.phases]


def predicted(exercise: Exercise, replies: list[str]) -> str:
    """What is printed when these replies are typed and the solution's own cost is measured."""
    out = io.StringIO()
    terminal = Terminal(into=io.StringIO("".join(f"{reply}\n" for reply in replies)), out=out)
    readings = tuple(
        Reading(meter=Meter.parse(meter), status="pass", formula=formula)
        for meter, formula in exercise.measured.items()
    )
    cost = Stage(name="cost", status="pass", readings=readings)
    contract = exercise.spec.contract
    asked = ask_predictions(contract, terminal)
    show_predictions(asked, Verdict.of(exercise.id, 1, (cost,)), contract, terminal)
    return " ".join(out.getvalue().split())


@pytest.mark.parametrize("exercise", LIBRARY.exercises, ids=lambda e: e.id)
def test_who_says_the_measured_cost_is_told_so(exercise: Exercise) -> None:
    """Each meter is asked for by the name that the verdict gives it, and the cost is recognised."""
    meters = list(exercise.spec.contract.limits())
    said = predicted(exercise, [exercise.measured[str(meter)] for meter in meters])
    for meter in meters:
        assert f"{meter.title}: you said" in said
    assert said.count("and it is exactly that") == len(meters)


@pytest.mark.parametrize("exercise", IN_PHASES, ids=lambda e: e.id)
def test_exercises_with_phases_are_predicted_and_graded(exercise: Exercise, tmp_path: Path) -> None:
    """The real command asks once a meter, grades, and passes the solution."""
    meters = list(exercise.spec.contract.limits())
    done = subprocess.run(
        [sys.executable, "-m", "quizprep", "grade", exercise.id, exercise.solution, "--predict"],
        input="".join(f"{exercise.measured[str(meter)]}\n" for meter in meters),
        env={**os.environ, "QUIZPREP_HOME": str(tmp_path), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " ".join(done.stdout.split()).count("exactly that") == len(meters)


SYMBOLS = ("b", "h", "n", "m", "d")


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("4bhnmd", "4*b*h*n*m*d"),
        ("n^2 d", "n**2*d"),
        ("O(n*m)", "n*m"),
        ("4*b*h*n*m*d + n", "4*b*h*n*m*d + n"),
        ("0", "0"),
        (" 2·n² ", "2*n**2"),
    ],
)
def test_a_prediction_is_read_as_people_write_it(text: str, formula: str) -> None:
    """What ``ask`` accepts for a growth is accepted here."""
    assert read_prediction(text, SYMBOLS).polynomial == parse(formula).expand()


@pytest.mark.parametrize("text", ["q*n", "n +", "__import__('os')", "many"])
def test_what_cannot_be_read_is_explained(text: str) -> None:
    """Another symbol, half a formula and code are refused with a reason."""
    with pytest.raises(FormulaError):
        read_prediction(text, SYMBOLS)


@pytest.mark.parametrize(
    ("flops", "says"),
    [
        ("O(b*h*n*m*d)", "which grows like that"),
        ("8bhnmd", "The growth is right"),
        ("b*h*n*d", "which grows faster"),
        ("b*h*n*m*d^2", "which grows more slowly"),
        ("b^2*h*n", "which grows in other symbols"),
        ("q", "uses 'q'"),
    ],
)
def test_another_cost_is_told_by_how_it_differs(flops: str, says: str) -> None:
    """Growth is compared in every symbol; a growth that was meant as one needs no constant."""
    assert says in predicted(LIBRARY.exercise("attention"), [flops])
