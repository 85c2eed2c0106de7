"""Jobs for tests of a judge that is called without a nursery."""

from __future__ import annotations

from pathlib import Path

from quizprep.grading import wire


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
