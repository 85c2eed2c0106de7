"""The kept cost formulas are read back as written, and every difference is reported."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.authoring.measuring import measured_problems, measured_text, write_measured
from quizprep.content.library import MEASURED, Exercise, Library, shipped_root
from quizprep.content.loading import load_file
from quizprep.formula import parse

LIBRARY = Library(shipped_root())

METERS = st.sampled_from(["flops", "elementwise", "peak_bytes", "append.moved_bytes"])
FORMULAS = st.sampled_from(["0", "4", "4*n*m*d", "8*b*n^2 + n/2", "n - 1", "-n + m"])


@pytest.fixture
def softmax(tmp_path: Path) -> Library:
    """A library that holds one exercise, without its measured costs."""
    shutil.copytree(shipped_root() / "exercises" / "softmax", tmp_path / "exercises" / "softmax")
    (tmp_path / "exercises" / "softmax" / MEASURED).unlink(missing_ok=True)
    return Library(tmp_path)


@given(st.dictionaries(METERS, FORMULAS, min_size=1))
def test_formulas_are_read_back_as_written(tmp_path_factory, formulas: dict[str, str]) -> None:
    """Whatever is measured, even a bare number, comes back as the same text."""
    path = tmp_path_factory.mktemp("measured") / MEASURED
    path.write_text(measured_text(formulas), encoding="utf-8")
    assert load_file(path, dict[str, str]) == formulas


def test_a_missing_file_is_a_problem(softmax: Library) -> None:
    """Without the file the costs are empty, and the check says that it is missing."""
    exercise = softmax.exercise("softmax")
    assert exercise.measured == {}
    assert "is missing" in str(*measured_problems(exercise, {"flops": "n"}))


def test_what_was_written_is_no_problem_and_a_change_is(softmax: Library) -> None:
    """After writing nothing differs; each meter that is added, lost or other is named."""
    costs = {"flops": "5*n", "calls": "2"}
    assert write_measured(softmax.exercise("softmax"), costs)
    exercise = softmax.exercise("softmax")
    assert not list(measured_problems(exercise, costs))
    assert write_measured(exercise, costs) is None
    for other in ({"flops": "6*n", "calls": "2"}, {"flops": "5*n"}, costs | {"peak_bytes": "n"}):
        (problem,) = measured_problems(exercise, other)
        assert "--write" in problem.message
        assert costs.get(problem.field) != other.get(problem.field)


@pytest.mark.parametrize("exercise", LIBRARY.exercises, ids=lambda e: e.id)
def test_every_exercise_has_its_costs(exercise: Exercise) -> None:
    """The kept costs are formulas in the contract's sizes, for every meter with a limit."""
    limited = {str(meter) for meter in exercise.spec.contract.limits()}
    assert exercise.measured.keys() >= limited
    for text in exercise.measured.values():
        assert parse(text).symbols <= exercise.spec.contract.sizes.keys()
