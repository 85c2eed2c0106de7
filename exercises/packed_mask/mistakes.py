"""Attention over packed documents with a switch for every known mistake."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "crosses_documents": Mistake(
        "Your mask is only causal: a token sees the documents before its own. They are packed "
        "together by chance and have nothing to do with each other.",
        concept="packed-mask",
    ),
    "not_causal_inside": Mistake(
        "Inside a document every token sees every other one, the future included.",
        concept="causal-mask",
    ),
    "resets_only_first": Mistake(
        "Only the first document is kept apart; all later ones count as one. Compare the "
        "document of the query with that of the key, not with the first.",
        concept="packed-mask",
    ),
    "first_sequence_for_all": Mistake(
        "The documents of the first sequence are used for the whole batch. Each sequence is "
        "packed differently, so the mask has a batch axis: (b, 1, n, n).",
        concept="packed-mask",
    ),
    "sees_only_other_documents": Mistake(
        "The comparison of documents is the wrong way round: a token sees itself and what the "
        "other documents before it hold, but not its own document.",
        concept="packed-mask",
    ),
    "strict_mask": Mistake(
        "Your causal mask hides the diagonal: a token does not see itself, and the first one "
        "of a document sees nothing and becomes NaN. The comparison is j <= i.",
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
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
}


def solve(
    q: Tensor, k: Tensor, v: Tensor, segments: Tensor, mistakes: frozenset[str] = frozenset()
) -> Tensor:
    """o: (b, h, n, d)."""
    d = q.shape[-1]
    scores = q @ k.transpose(-2, -1) * (1.0 if "no_scale" in mistakes else d**-0.5)
    hidden = ~_visible(segments, mistakes)
    if "mask_after_softmax" in mistakes:
        return torch.softmax(scores, dim=-1).masked_fill(hidden, 0) @ v
    fill = 0.0 if "zero_instead_of_inf" in mistakes else -torch.inf
    return torch.softmax(scores.masked_fill(hidden, fill), dim=-1) @ v


def _visible(segments: Tensor, mistakes: frozenset[str]) -> Tensor:
    """(b, 1, n, n), True where query i may see key j."""
    n = segments.shape[-1]
    if "first_sequence_for_all" in mistakes:
        segments = segments[:1]
    if "resets_only_first" in mistakes:
        segments = segments != segments[:, :1]
    i, j = torch.arange(n)[:, None], torch.arange(n)
    same = segments[:, None, :, None] == segments[:, None, None, :]
    if "crosses_documents" in mistakes:
        same = torch.ones_like(same)
    elif "sees_only_other_documents" in mistakes:
        same = ~same | (i == j)
    if "not_causal_inside" in mistakes:
        return same
    return same & (j < i if "strict_mask" in mistakes else j <= i)
