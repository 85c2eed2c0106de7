"""Verdicts on what nobody wrote who knew the grader: none is false, and no mistake is misnamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from quizprep.authoring.blind import blind_submissions, tallies
from quizprep.content.library import Library, shipped_root
from quizprep.grading.pool import Pool

LIBRARY = Library(shipped_root())
SUBMISSIONS = blind_submissions(Path(__file__).parent.parent / "blind")
EXERCISES = sorted({blind.exercise for blind in SUBMISSIONS})


@pytest.mark.parametrize("exercise", EXERCISES)
def test_verdicts_on_blind_submissions_are_true(exercise: str, pool: Pool) -> None:
    """Right ones pass, wrong ones fail, and what is named is what was done."""
    mine = [blind for blind in SUBMISSIONS if blind.exercise == exercise]
    false = [
        (blind.path.name, tally)
        for blind, tally in tallies(LIBRARY, mine, pool, search=0)
        if tally.false_fails or tally.false_passes or tally.wrongly_named
    ]
    assert not false


def test_each_exercise_has_right_and_wrong_ones() -> None:
    """Half of the submissions only measure, and each exercise has both kinds."""
    for exercise in EXERCISES:
        labels = [blind.label for blind in SUBMISSIONS if blind.exercise == exercise]
        assert labels.count("right") >= 4
        assert len(labels) > 2 * labels.count("right")
