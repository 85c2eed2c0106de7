"""Attention in numpy with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import numpy as np

from quizprep.exercise import Mistake

MISTAKES = {
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
    "scale_by_d": Mistake(
        "You divide the scores by d, not by sqrt(d). It is the variance of a product that is "
        "d; its standard deviation is sqrt(d).",
        concept="scaling",
    ),
    "softmax_over_queries": Mistake(
        "Your softmax runs over the queries (axis 0). Each query spreads a weight of 1 over its "
        "keys, so it has to run along the rows of the scores.",
        concept="softmax-axis",
    ),
    "softmax_over_everything": Mistake(
        "You divide by the sum of all exponentials, so the weights of all queries together add "
        "up to 1. Those of each query have to: sum along the last axis, with keepdims.",
        concept="softmax-axis",
    ),
    "k_not_transposed_right": Mistake(
        "You reshape k to (d, m). The shape fits, the numbers do not: a reshape reads them in "
        "the same order into other rows. Transposing swaps the axes: k.T.",
        concept="attention-shape",
    ),
    "no_max_subtraction": Mistake(
        "You take exp of the scores as they are. In float32 it overflows above 88, and "
        "inf / inf is NaN. Subtract each row's maximum first: the weights stay the same.",
        concept="softmax-stability",
    ),
    "no_softmax": Mistake(
        "You weigh the values with the scores themselves. Without the softmax the weights may "
        "be negative and do not add up to 1.",
        concept="attention-shape",
    ),
}


def solve(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, mistakes: frozenset[str] = frozenset()
) -> np.ndarray:
    """o: (n, d)."""
    m, d = k.shape
    scale = d**-0.5
    if "no_scale" in mistakes:
        scale = 1.0
    elif "scale_by_d" in mistakes:
        scale = 1 / d
    keys = k.reshape(d, m) if "k_not_transposed_right" in mistakes else k.T

    # What overflows or has no value here is what the mistake is about.
    with np.errstate(all="ignore"):
        scores = q @ keys * scale
        if "no_softmax" in mistakes:
            return scores @ v
        axis = 0 if "softmax_over_queries" in mistakes else -1
        if "no_max_subtraction" not in mistakes:
            whole = "softmax_over_everything" in mistakes
            scores = scores - scores.max(axis=None if whole else axis, keepdims=True)
        exponentials = np.exp(scores)
        if "softmax_over_everything" in mistakes:
            return exponentials / exponentials.sum() @ v
        return exponentials / exponentials.sum(axis=axis, keepdims=True) @ v
