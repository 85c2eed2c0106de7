"""Inputs of metered calls: slices of one row of normals, without repetition within a call."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quizprep.worker.judge.preparation import SlicedNormals

CALLS = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=4), min_size=1, max_size=6)


def deal(seed: int, calls: list[list[int]]) -> list[list[np.ndarray]]:
    """The inputs of calls: so many values each."""
    normals = SlicedNormals(seed)
    dealt = []
    for number, sizes in enumerate(calls):
        normals.next_slice([seed, number])
        dealt.append([normals.standard_normal((size,)) for size in sizes])
    return dealt


@given(CALLS, st.integers(0, 2**32))
def test_no_value_comes_twice_in_a_call(calls: list[list[int]], seed: int) -> None:
    """However far the row has been drawn, the inputs of one call share no value."""
    for inputs, sizes in zip(deal(seed, calls), calls, strict=True):
        assert [len(values) for values in inputs] == sizes
        whole = np.concatenate(inputs)
        assert len(np.unique(whole)) == len(whole)


@given(CALLS, st.integers(0, 2**32), st.randoms())
def test_the_seeds_decide_and_not_the_order(
    calls: list[list[int]], seed: int, dice: random.Random
) -> None:
    """Whatever was dealt before, a call's inputs are the same, its integers among them, so that
    a grading can be repeated: the judge deals when it has the time."""

    def deal_in(order: list[int]) -> dict[int, list[np.ndarray]]:
        normals, dealt = SlicedNormals(seed), {}
        for number in order:
            normals.next_slice([seed, number])
            dealt[number] = [normals.standard_normal((size,)) for size in calls[number]]
            dealt[number].append(normals.integers(1 << 40, size=3))
        return dealt

    order = list(range(len(calls)))
    one = deal_in(order)
    dice.shuffle(order)
    two = deal_in(order)
    for number in order:
        assert all(np.array_equal(a, b) for a, b in zip(one[number], two[number], strict=True))


def test_calls_begin_at_different_places() -> None:
    """An answer to one call's inputs fits no other's: at no place are they the same."""
    first, second, third = (inputs[0] for inputs in deal(5, [[1000], [1000], [1000]]))
    assert not np.any(first == second) and not np.any(second == third)


def test_dealt_values_are_normal() -> None:
    """Mean 0 and variance 1, within what 100,000 values allow."""
    (values,) = deal(7, [[100_000]])[0]
    assert abs(float(values.mean())) < 0.02 and abs(float(values.var()) - 1) < 0.03
