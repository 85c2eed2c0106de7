"""Jobs for tests of a judge that is called without a nursery."""

from __future__ import annotations

from pathlib import Path

from quizprep.content.exercises import CaseSpec, Contract, ExerciseSpec, Runtime
from quizprep.content.questions import Level
from quizprep.grading import wire

SPEC = ExerciseSpec(
    format=1,
    title="A function",
    level=Level.JUNIOR,
    minutes=10,
    runtime=Runtime.NUMPY,
    entry="f",
    concepts=("softmax",),
    returns={"o": ("n",)},
    cases=CaseSpec(sizes={"n": (1,)}),
    contract=Contract(sizes={"n": (4,)}),
    hints=("One.", "Two.", "Three."),
    sources=("vaswani2017",),
)


def a_job(folder: Path, cases: tuple[wire.Case, ...] = ()) -> wire.Job:
    """A job of these cases and no cost, over the files of an exercise that lie in this folder."""
    return wire.Job(
        exercise="x",
        folder=str(folder),
        solution=str(folder / "solution.py"),
        spec=SPEC,
        measured={},
        seed=1,
        cases=cases,
        points=(),
    )
