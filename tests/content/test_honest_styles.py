"""Right solutions pass however they are written: a false failure is a serious bug."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.verdict import Verdict

HONEST = Path(__file__).parent.parent / "honest"
LIBRARY = Library(shipped_root())
FILES = sorted(path for path in HONEST.glob("*/*.py") if path.parent.name != "costly")
SEEDS = (101, 102, 103)
THOROUGH = ("causal_mask", "flash_forward", "softmax", "triton_softmax")
"""Exercises of which each style is graded with every seed; of the others with one of its own."""
STYLES = dict.fromkeys(THOROUGH, 6)
FEWEST = 2
"""The least number of differently written solutions of an exercise that is not in STYLES."""


def grade(grader: Grader, path: Path, exercise: str, seed: int) -> Verdict:
    return grader.grade(
        LIBRARY.exercise(exercise), Submission(path.name, path.read_bytes()), seed=seed
    )


def seeds(path: Path) -> tuple[int, ...]:
    """The seeds to grade a style with, the same every time."""
    if path.parent.name in THOROUGH:
        return SEEDS
    return (crc32(f"{path.parent.name}/{path.stem}".encode()),)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_right_solution_passes(path: Path, grader: Grader) -> None:
    """It passes every stage, cost and witness included, with any seed."""
    for seed in seeds(path):
        verdict = grade(grader, path, path.parent.name, seed)
        assert verdict.passed, (seed, [s for s in verdict.stages if s.status in ("fail", "error")])


def test_every_exercise_has_styles() -> None:
    """No exercise goes with fewer styles than promised."""
    written = [path.parent.name for path in FILES]
    few = {name for name in LIBRARY.exercise_ids if written.count(name) < STYLES.get(name, FEWEST)}
    assert not few


def test_two_passes_over_a_row_are_named(grader: Grader) -> None:
    """A kernel that loops over blocks of columns twice is right, costs half as much traffic
    again, and is told so by name."""
    verdict = grade(grader, HONEST / "costly" / "two_passes.py", "triton_softmax", SEEDS[0])
    assert verdict.stage("correctness").status == "pass"
    (reading,) = [r for r in verdict.stage("cost").readings if r.status == "fail"]
    assert (str(reading.meter), reading.formula) == ("moved_bytes", "12*rows*cols")
    assert [mistake.id for mistake in verdict.mistakes] == ["reads_twice"]
