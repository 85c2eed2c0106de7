"""Attention with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

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
    "scale_by_sqrt_n": Mistake(
        "You divide the scores by sqrt(n), the number of queries. A score is a sum of d "
        "products whatever the sequence length is, so its spread is sqrt(d).",
        concept="scaling",
    ),
    "scale_after_softmax": Mistake(
        "You scale after the softmax. There the factor no longer tames the scores; it only "
        "makes the weights of each query add up to something else than 1.",
        concept="scaling",
    ),
    "softmax_over_queries": Mistake(
        "Your softmax runs over the queries. Each query spreads a weight of 1 over its keys, "
        "so it has to run over the last axis of the scores.",
        concept="softmax-axis",
    ),
    "softmax_over_heads": Mistake(
        "Your softmax runs over the heads (axis 1), so heads compete for each pair of query "
        "and key. It has to run over the keys, the last axis of the scores.",
        concept="softmax-axis",
    ),
    "no_softmax": Mistake(
        "You weigh the values with the scores themselves. Without the softmax the weights may "
        "be negative and do not add up to 1.",
        concept="attention-shape",
    ),
    "returns_weights": Mistake(
        "You return the attention weights, (b, h, n, m). The output is the sum of the values "
        "under these weights, (b, h, n, d).",
        concept="attention-shape",
    ),
}


def solve(q: Tensor, k: Tensor, v: Tensor, mistakes: frozenset[str] = frozenset()) -> Tensor:
    """o: (b, h, n, d)."""
    n, d = q.shape[-2:]
    scale = d**-0.5
    if "no_scale" in mistakes:
        scale = 1.0
    elif "scale_by_d" in mistakes:
        scale = 1 / d
    elif "scale_by_sqrt_n" in mistakes:
        scale = n**-0.5
    late = "scale_after_softmax" in mistakes

    scores = q @ k.transpose(-2, -1)
    if not late:
        scores = scores * scale
    axis = -1
    if "softmax_over_queries" in mistakes:
        axis = -2
    elif "softmax_over_heads" in mistakes:
        axis = 1
    weights = scores if "no_softmax" in mistakes else torch.softmax(scores, axis)
    if late:
        weights = weights * scale
    return weights if "returns_weights" in mistakes else weights @ v
