"""Softmax with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import numpy as np

from quizprep.exercise import Mistake

MISTAKES = {
    "no_max_subtraction": Mistake(
        "You take exp of x as it is. In float32 it overflows above 88, and inf / inf is NaN; "
        "a line far below 0 underflows to 0. Subtract the maximum first: the result is the "
        "same, because the factor cancels.",
        concept="softmax-stability",
    ),
    "global_max": Mistake(
        "You subtract the maximum of the whole array. A line that lies far below it "
        "underflows to zeros; each line needs its own maximum.",
        concept="softmax-stability",
    ),
    "wrong_axis": Mistake(
        "You ignore `axis` and normalise over the last axis every time.",
        concept="softmax-axis",
    ),
    "wrong_normaliser": Mistake(
        "You divide by the sum of the whole array, so all lines together add up to 1. Each "
        "line has to.",
        concept="softmax-axis",
    ),
    "no_zero_row": Mistake(
        "A line of only -inf comes out as NaN: its maximum is -inf, and -inf minus -inf has "
        "no value. It should give zeros.",
        concept="fully-masked-row",
    ),
    "uniform_zero_row": Mistake(
        "A line of only -inf comes out uniform, as if all its entries were visible and "
        "equal. It should give zeros.",
        concept="fully-masked-row",
    ),
}


def solve(x: np.ndarray, axis: int = -1, mistakes: frozenset[str] = frozenset()) -> np.ndarray:
    """y: (rows, cols)."""
    if "wrong_axis" in mistakes:
        axis = -1
    if "uniform_zero_row" in mistakes:
        x = np.where(np.isneginf(x).all(axis=axis, keepdims=True), 0, x)

    if "no_max_subtraction" in mistakes:
        top = np.zeros_like(x, shape=())
    else:
        top = x.max(axis=None if "global_max" in mistakes else axis, keepdims=True)
        if "no_zero_row" not in mistakes:
            top = np.where(np.isneginf(top), 0, top)

    # What overflows or has no value here is what the mistake is about.
    with np.errstate(all="ignore"):
        exponentials = np.exp(x - top)
        whole = "wrong_normaliser" in mistakes
        total = exponentials.sum(axis=None if whole else axis, keepdims=True)
        if "no_zero_row" not in mistakes:
            total = np.where(total == 0, 1, total)
        return exponentials / total
