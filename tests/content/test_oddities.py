"""A line that has nothing to do with attention fails no right submission: what libraries load,
switches of torch, inference mode, tables made beforehand, threads that are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission

LIBRARY = Library(shipped_root())
ODDITIES: list[dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent.parent / "honest" / "oddities.yaml").read_text("utf-8")
)


@pytest.mark.parametrize("odd", ODDITIES, ids=lambda odd: f"{odd['exercise']}/{odd['name']}")
def test_right_submission_passes(odd: dict[str, str], grader: Grader) -> None:
    """The solution with that line passes every stage, cost and witness included."""
    exercise = LIBRARY.exercise(odd["exercise"])
    parts = [
        odd.get("before", ""),
        exercise.solution.read_text("utf-8"),
        f"wrapped = {exercise.spec.entries[0]}",
        odd.get("behind", ""),
    ]
    verdict = grader.grade(exercise, Submission("odd.py", "\n".join(parts).encode()), seed=5)
    assert verdict.passed, [s for s in verdict.stages if s.status in ("fail", "error")]
    assert "Thread creation failed" not in verdict.printed
