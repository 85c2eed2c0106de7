"""When a failure occurs is told only as the cases have it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.grading.wire import Case
from quizprep.worker.judge.conditions import ALWAYS, Condition, condition


def case(dice: Random) -> Case:
    """A case with random sizes, options, dtype and layout."""
    return Case(
        params={
            "b": dice.choice([1, 2, 3]),
            "n": dice.choice([1, 2, 5, 16, 97]),
            "m": dice.choice([1, 2, 5, 16, 97]),
            "causal": dice.choice([True, False]),
            "window": dice.choice([None, 3]),
        },
        dtype=dice.choice(["float32", "bfloat16", "float16"]),
        layout=dice.choice(["contiguous", "strided", "permuted"]),
        magnitude=dice.choice([1.0, 10.0]),
        seed=0,
        guards=False,
        twice=False,
        fresh=False,
    )


CASES = [case(Random(place)) for place in range(60)]
EXACT: dict[str, Callable[[Case], bool]] = {
    "b > 1": lambda c: c.params["b"] != 1,
    "n > m": lambda c: c.params["n"] > c.params["m"],  # type: ignore[operator]
    "the dtype is bfloat16": lambda c: c.dtype == "bfloat16",
    "the dtype is bfloat16 or float16": lambda c: c.dtype != "float32",
    "inputs are not contiguous": lambda c: c.layout != "contiguous",
    "causal is True": lambda c: c.params["causal"] is True,
    "window is given": lambda c: c.params["window"] is not None,
    "inputs are enlarged": lambda c: c.magnitude > 1,
    "n > 16": lambda c: c.params["n"] == 97,
    "the dtype is float32 and causal is False": lambda c: (
        c.dtype == "float32" and not c.params["causal"]
    ),
}


def split(fails: Callable[[Case], bool]) -> tuple[set[int], set[int]]:
    """The places of failing and of passing cases."""
    failing = {place for place, one in enumerate(CASES) if fails(one)}
    return failing, {*range(len(CASES))} - failing


@pytest.mark.parametrize("says", EXACT)
def test_the_condition_is_found(says: str) -> None:
    """A failure that depends on one property, or on two, is told by them."""
    assert condition(CASES, *split(EXACT[says])) == Condition(says)


def test_only_when() -> None:
    """Where not all cases of a kind fail, but no others do, it says so."""
    fails = lambda c: c.params["n"] > c.params["m"] and c.params["n"] + c.seed != 5  # noqa: E731
    assert condition(CASES, *split(fails)) == Condition("n > m", exact=False)


def test_always() -> None:
    """Where nothing passes there is no condition."""
    assert condition(CASES, {*range(60)}, set()) is ALWAYS


@given(st.sets(st.integers(0, 59), min_size=1, max_size=59))
def test_what_is_said_is_true(failing: set[int]) -> None:
    """Whatever fails, a condition that is said holds in all failing cases, and an exact one in no
    other."""
    passing = {*range(60)} - failing
    found = condition(CASES, failing, passing)
    if found is not None and found.says in EXACT:
        held = {place for place, one in enumerate(CASES) if EXACT[found.says](one)}
        assert failing <= held
        assert not found.exact or failing == held


def test_one_failure_has_no_condition_by_a_size() -> None:
    """One or two cases fit many a threshold, so none is told."""
    found = condition(CASES, {0}, {*range(1, 60)})
    assert found is None or not found.exact
