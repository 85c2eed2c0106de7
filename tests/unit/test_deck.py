"""Inputs for metered calls: dealt from one row, never twice within a call."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quizprep.worker.deck import Deck

CALLS = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=4), min_size=1, max_size=6)


def deal(seed: int, calls: list[list[int]]) -> list[list[np.ndarray]]:
    """The inputs of calls: so many values each."""
    deck = Deck(seed)
    dealt = []
    for number, sizes in enumerate(calls):
        deck.cut([seed, number])
        dealt.append([deck.standard_normal((size,)) for size in sizes])
    return dealt


@given(CALLS, st.integers(0, 2**32))
def test_no_value_comes_twice_in_a_call(calls: list[list[int]], seed: int) -> None:
    """However the row grows and turns, the inputs of one call share no value."""
    for inputs, sizes in zip(deal(seed, calls), calls, strict=True):
        assert [len(values) for values in inputs] == sizes
        whole = np.concatenate(inputs)
        assert len(np.unique(whole)) == len(whole)


@given(CALLS, st.integers(0, 2**32))
def test_the_seed_decides(calls: list[list[int]], seed: int) -> None:
    """The same seed deals the same inputs, so that a grading can be repeated."""
    for one, two in zip(deal(seed, calls), deal(seed, calls), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_calls_begin_at_different_places() -> None:
    """An answer to one call's inputs fits no other's: at no place are they the same."""
    first, second, third = (inputs[0] for inputs in deal(5, [[1000], [1000], [1000]]))
    assert not np.any(first == second) and not np.any(second == third)


def test_dealt_values_are_normal() -> None:
    """Mean 0 and variance 1, within what 100,000 values allow."""
    (values,) = deal(7, [[100_000]])[0]
    assert abs(float(values.mean())) < 0.02 and abs(float(values.var()) - 1) < 0.03
