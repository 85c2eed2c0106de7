"""Causal attention with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "strict_mask": Mistake(
        "Your mask hides the diagonal: query i no longer sees its own key. The last key that "
        "query i may see is j = i + m - n, so the comparison is <=, not <.",
        concept="causal-mask",
    ),
    "looks_ahead_by_one": Mistake(
        "Your mask lets every query see one key too many, the one right after its own "
        "position. In training that key belongs to the token that has to be predicted.",
        concept="causal-mask",
    ),
    "top_left_aligned": Mistake(
        "Your mask starts in the top left corner: query i sees keys 0 to i even when n and m "
        "differ. The n queries are the last n positions, so query i sits at i + m - n.",
        concept="mask-alignment",
    ),
    "transposed_mask": Mistake(
        "Your mask is upside down: query i sees its own key and the later ones, and the past "
        "is hidden.",
        concept="causal-mask",
    ),
    "inverted_mask": Mistake(
        "Your mask is the wrong way round: it hides what it should keep, so every query sees the "
        "keys after its own position and no other. Libraries differ in what True means in a mask.",
        concept="causal-mask",
    ),
    "no_mask": Mistake(
        "Nothing is hidden: every query sees every key, the future included.",
        concept="causal-mask",
    ),
    "mask_after_softmax": Mistake(
        "You mask the weights after the softmax. The hidden keys have already taken their "
        "share of the sum, so the weights that remain add up to less than 1.",
        concept="mask-before-softmax",
    ),
    "zero_instead_of_inf": Mistake(
        "You set hidden scores to 0 before the softmax. exp(0) is 1, so a hidden key still "
        "gets weight; only exp(-inf) is 0.",
        concept="mask-before-softmax",
        variants=("empty_rows_averaged", "empty_rows_zeroed"),
    ),
    "nan_on_empty_row": Mistake(
        "A query that sees no key (there are some when n > m) comes out as NaN: the softmax "
        "of only -inf divides 0 by 0. Its output should be a row of zeros.",
        concept="fully-masked-row",
    ),
    "uniform_on_empty_row": Mistake(
        "A query that sees no key (there are some when n > m) comes out as the mean of all "
        "values: with a large finite number in place of -inf, equal scores give equal "
        "weights. Its output should be a row of zeros.",
        concept="fully-masked-row",
    ),
    "adds_minus_10000": Mistake(
        "You add -10000 to hidden scores. That hides them only next to scores that are small, and "
        "a query that sees no key comes out as if it saw all: every score has the same added. "
        "Fill with -inf, and give such a row zeros.",
        concept="mask-before-softmax",
    ),
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
        "Your softmax runs over the queries. Each query spreads a weight of 1 over its keys, "
        "so it has to run over the last axis of the scores.",
        concept="softmax-axis",
    ),
}


def solve(q: Tensor, k: Tensor, v: Tensor, mistakes: frozenset[str] = frozenset()) -> Tensor:
    """o: (b, h, n, d)."""
    d = q.shape[-1]
    scale = d**-0.5
    if "no_scale" in mistakes:
        scale = 1.0
    elif "scale_by_d" in mistakes:
        scale = 1 / d
    scores = q @ k.transpose(-2, -1) * scale
    hidden = ~_visible(q.shape[-2], k.shape[-2], mistakes)
    axis = -2 if "softmax_over_queries" in mistakes else -1

    if "mask_after_softmax" in mistakes:
        return torch.softmax(scores, axis).masked_fill(hidden, 0) @ v

    fill = -torch.inf
    zeroed = "zero_instead_of_inf:empty_rows_zeroed" in mistakes
    if zeroed or "zero_instead_of_inf:empty_rows_averaged" in mistakes:
        fill = 0.0
    elif "uniform_on_empty_row" in mistakes:
        fill = torch.finfo(scores.dtype).min
    if "adds_minus_10000" in mistakes and fill:
        scores = scores + hidden.to(scores.dtype) * -10000.0
    else:
        scores = scores.masked_fill(hidden, fill)
    weights = torch.softmax(scores, axis)
    if "nan_on_empty_row" not in mistakes:
        weights = weights.nan_to_num(nan=0.0)
    if zeroed:
        weights = weights.masked_fill(hidden.all(-1, keepdim=True), 0)
    return weights @ v


def _visible(n: int, m: int, mistakes: frozenset[str]) -> Tensor:
    """(n, m), True where query i may see key j."""
    if "no_mask" in mistakes:
        return torch.ones(n, m, dtype=torch.bool)
    i, j = torch.arange(n)[:, None], torch.arange(m)
    own = i if "top_left_aligned" in mistakes else i + m - n
    strict = "strict_mask" in mistakes
    # A mask cannot both hide the diagonal and look past it: the first one wins.
    if "looks_ahead_by_one" in mistakes and not strict:
        own = own + 1
    if "inverted_mask" in mistakes:
        return j >= own if strict else j > own
    if "transposed_mask" in mistakes:
        return j > own if strict else j >= own
    return j < own if strict else j <= own
