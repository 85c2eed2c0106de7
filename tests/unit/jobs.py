"""Jobs and their cases, for tests of a judge that is called without a nursery."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from quizprep.content.exercises import CaseSpec, Contract, ExerciseSpec, Runtime
from quizprep.content.questions import Level
from quizprep.grading import wire
from quizprep.worker.judge.comparison import Expected


def a_case(**changes: Any) -> wire.Case:
    """A fixed case of one element, with these fields changed."""
    fields: dict[str, Any] = {
        "params": {"n": 1},
        "dtype": "float32",
        "layout": "contiguous",
        "magnitude": 1.0,
        "seed": 1,
        "guards": False,
        "twice": False,
        "fresh": False,
    }
    return wire.Case(**{**fields, **changes})


def same_expected(one: Expected, two: Expected) -> bool:
    """Whether both expect the same outputs, with the same shapes and allowed differences."""
    pairs = (*zip(one.values, two.values, strict=True), *zip(one.allowed, two.allowed, strict=True))
    return (one.dtypes, one.names) == (two.dtypes, two.names) and all(
        np.shape(a) == np.shape(b) and np.array_equal(a, b) for a, b in pairs
    )


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
