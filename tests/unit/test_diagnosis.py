"""Diagnosis: a name only if it explains every case and nothing else does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from quizprep.exercise import Mistake
from quizprep.worker.backends import NumpyBackend
from quizprep.worker.judge.comparison import expect
from quizprep.worker.judge.diagnosis import Observed, diagnose
from quizprep.worker.judge.error_location import Problem, locate
from quizprep.worker.judge.exercise_files import Mistakes

BACKEND = NumpyBackend()

# Faults of a toy exercise, y = x: what each adds. "late" only shows above 5, "twin" is "one".
ADDED = {
    "one": lambda x: np.ones_like(x),
    "twin": lambda x: np.ones_like(x),
    "twice": lambda x: x,
    "late": lambda x: np.where(x > 5, 3.0, 0.0),
}
CASES = st.lists(
    st.lists(st.floats(0.5, 10, width=32), min_size=1, max_size=4), min_size=1, max_size=5
)
SWITCHES = st.sets(st.sampled_from(sorted(ADDED)), min_size=1, max_size=3)


def known(*names: str) -> Mistakes:
    """The toy exercise with some of its faults known."""

    def solve(x: np.ndarray, mistakes: frozenset[str] = frozenset()) -> np.ndarray:
        return x + sum((ADDED[name](x) for name in sorted(mistakes)), np.zeros_like(x))

    return Mistakes({name: Mistake(says=name, concept="c") for name in names}, solve)


def observed(cases: Sequence[Sequence[float]], faults: set[str]) -> list[Observed]:
    """The cases as a submission with these faults would leave them."""
    model = known(*ADDED)
    found = []
    for place, numbers in enumerate(cases):
        x = np.array(numbers, dtype=np.float64)
        right = expect(lambda x: x + 0, (x,), BACKEND, np.random.default_rng(place))
        got = model.solve(x, mistakes=frozenset(faults))
        failed = bool((np.abs(got - x) > right.allowed[0]).any())
        found.append(Observed((x,), right, (got,), "", failed))
    return found


def names(mistakes: Mistakes, cases: list[Observed]) -> set[str]:
    """What is named."""
    return {mistake.id for mistake in diagnose(mistakes, cases, BACKEND).mistakes}


def outputs(cases: Sequence[Sequence[float]], faults: frozenset[str]) -> list[Any]:
    """The outputs of a set of faults, rounded so that equal means equal."""
    model = known(*ADDED)
    return [np.round(model.solve(np.array(c), mistakes=faults), 9).tolist() for c in cases]


@settings(deadline=None, max_examples=150)
@given(CASES, SWITCHES)
@example([[5.0]], {"late", "one", "twice"})
@example([[1.0], [5.0]], {"late", "one", "twice"})
def test_what_is_named_gives_the_learners_outputs(
    cases: list[list[float]], faults: set[str]
) -> None:
    """Whatever is named reproduces every output; three faults at once are never misnamed."""
    found = diagnose(known(*ADDED), observed(cases, faults), BACKEND)
    for rest in found.alternatives or [()] * bool(found.mistakes):
        said = frozenset(mistake.id for mistake in (*found.mistakes, *rest))
        assert outputs(cases, said) == outputs(cases, frozenset(faults))


@settings(deadline=None, max_examples=100)
@given(CASES)
def test_twins_are_never_named(cases: list[list[float]]) -> None:
    """Two mistakes that give the same outputs cannot be told apart, so both are told as what it may
    be."""
    found = diagnose(known("one", "twin"), observed(cases, {"one"}), BACKEND)
    assert not found.mistakes
    assert [[mistake.id for mistake in names] for names in found.alternatives] == [
        ["one"],
        ["twin"],
    ]


@settings(deadline=None, max_examples=100)
@given(CASES, SWITCHES, st.randoms())
def test_the_order_of_cases_does_not_matter(
    cases: list[list[float]], faults: set[str], dice: Any
) -> None:
    """Diagnosis is the same whatever comes first."""
    seen = observed(cases, faults)
    shuffled = list(seen)
    dice.shuffle(shuffled)
    assert names(known(*ADDED), seen) == names(known(*ADDED), shuffled)


def test_a_right_submission_has_no_diagnosis() -> None:
    """Nothing failed, so nothing is named, even by a mistake that does not show on these cases."""
    assert names(known("late"), observed([[1.0, 2.0]], set())) == set()


def test_a_pair_is_named_as_the_pair() -> None:
    """Two mistakes at once are named together, and not as either alone."""
    assert names(known("one", "twice", "late"), observed([[1.0, 7.0]], {"one", "twice"})) == {
        "one",
        "twice",
    }


@given(st.integers(-100, 100), st.integers(-100, 100))
def test_a_number_is_told_as_a_number(right: int, got: int) -> None:
    """An output without axes is somewhere only in being wrong: both numbers are said."""
    assume(right != got)
    said = locate("used", (), np.array(float(right)), 0.0, np.array(float(got)), {})
    assert said == Problem(f"used is {got} where {right} is right")
