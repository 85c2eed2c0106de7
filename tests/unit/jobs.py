"""Jobs and their cases, for tests of a judge that is called without a nursery."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

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


def a_job(folder: Path, cases: tuple[wire.Case, ...] = ()) -> wire.Job:
    """A job of these cases and no cost, over the files of an exercise that lie in this folder."""
    return wire.Job(
        exercise="x",
        folder=str(folder),
        solution=str(folder / "solution.py"),
        runtime="numpy",
        entries=("f",),
        returns={"o": ("n",)},
        cases=cases,
        points=(),
        symbols=("n",),
        tiles={},
        meters=(),
        bounds={},
        budgets={},
        comparisons=(),
        witness=None,
        cost_dtype="float32",
        guards=False,
        require_confinement=False,
    )
