"""Padded attention with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "ignores_lengths": Mistake(
        "Padding is attended to like real keys. Hide the keys at or beyond the length of their "
        "sequence.",
        concept="padding-mask",
    ),
    "masks_queries_not_keys": Mistake(
        "lengths hides rows of the scores instead of columns: queries at or beyond the length "
        "become zero, and the others still see the padding. It is keys that are padded.",
        concept="padding-mask",
    ),
    "off_by_one_length": Mistake(
        "Your mask is off by one: keys 0 to length - 1 are real, so j < length is visible.",
        concept="padding-mask",
        variants=("one_more", "one_less"),
    ),
    "hides_the_real": Mistake(
        "Your mask is the wrong way round: the real keys are hidden and the padding is seen. "
        "Libraries differ in what True means in a mask; here j >= length is hidden.",
        concept="mask-convention",
        variants=("nan", "zeros"),
    ),
    "pads_on_the_left": Mistake(
        "Your mask takes the padding to come first: it keeps the last keys of a sequence. Here the "
        "real keys are 0 to length - 1, and the padding comes after them.",
        concept="padding-mask",
    ),
    "one_query_unmasked": Mistake(
        "With a single query you leave the mask out, as if it could see everything. It has no key "
        "after it, but the padding is there all the same.",
        concept="padding-mask",
    ),
    "mask_after_softmax": Mistake(
        "You mask the weights after the softmax. Padding has already taken its share of the "
        "sum, so the weights that remain add up to less than 1.",
        concept="mask-before-softmax",
    ),
    "zero_instead_of_inf": Mistake(
        "You set hidden scores to 0 before the softmax. exp(0) is 1, so padding still gets "
        "weight; only exp(-inf) is 0.",
        concept="mask-before-softmax",
    ),
    "nan_on_empty": Mistake(
        "A sequence of length 0 gives NaN: the softmax of only -inf divides 0 by 0. Its output "
        "should be zeros.",
        concept="fully-masked-row",
        variants=("filled", "added"),
    ),
    "uniform_on_empty": Mistake(
        "A sequence of length 0 gives the mean of its padding: with a large finite number in "
        "place of -inf, equal scores give equal weights. Its output should be zeros.",
        concept="fully-masked-row",
        variants=("filled", "added"),
    ),
    "nan_gradient": Mistake(
        "The outputs are right, but a sequence of length 0 has NaN gradients, and one of them is "
        "enough to make every weight of the model NaN. The NaN of its softmax was replaced on "
        "the way out only; on the way back it goes through the -inf that you added. Fill the "
        "scores by the mask instead: that stops the gradient there.",
        concept="fully-masked-row",
    ),
    "adds_minus_10000": Mistake(
        "You add -10000 to hidden scores. That hides them only next to scores that are small, and "
        "a sequence of length 0 comes out as if all of its padding were real: every score has the "
        "same added. Fill with -inf, and give such a sequence zeros.",
        concept="mask-before-softmax",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
}


def solve(
    q: Tensor, k: Tensor, v: Tensor, lengths: Tensor, mistakes: frozenset[str] = frozenset()
) -> Tensor:
    """o: (b, h, n, d)."""
    n, d = q.shape[-2:]
    hidden = _hidden(n, k.shape[-2], lengths, mistakes)
    scores = q @ k.transpose(-2, -1) * (1.0 if "no_scale" in mistakes else d**-0.5)

    if "mask_after_softmax" in mistakes:
        weights = torch.softmax(scores, dim=-1).masked_fill(hidden, 0)
    else:
        weights = torch.softmax(_masked(scores, hidden, mistakes), dim=-1)
        if not any(m.startswith("nan_on_empty") or m == "hides_the_real:nan" for m in mistakes):
            # Only what is NaN: a mistake that gives weight to padding keeps it.
            weights = weights.masked_fill(weights.isnan(), 0)
    if "masks_queries_not_keys" in mistakes:
        rows = torch.arange(n)[:, None] >= lengths[:, None, None, None]
        weights = weights.masked_fill(rows, 0)
    return weights @ v


def _masked(scores: Tensor, hidden: Tensor, mistakes: frozenset[str]) -> Tensor:
    """Scores that a softmax takes."""
    if "adds_minus_10000" in mistakes:
        return scores + hidden.to(scores.dtype) * -10000.0
    fill = -torch.inf
    if "zero_instead_of_inf" in mistakes:
        fill = 0.0
    elif any(m.startswith("uniform_on_empty") for m in mistakes):
        # Half of the smallest number, so that a score can be added to it.
        fill = torch.finfo(scores.dtype).min / 2
    added = {"nan_on_empty:added", "uniform_on_empty:added", "nan_gradient"}
    if mistakes & added and "zero_instead_of_inf" not in mistakes:
        return scores + torch.zeros_like(scores).masked_fill(hidden, fill)
    return scores.masked_fill(hidden, fill)


def _hidden(n: int, m: int, lengths: Tensor, mistakes: frozenset[str]) -> Tensor:
    """(b, 1, 1, m), True where key j is hidden."""
    if "off_by_one_length:one_more" in mistakes:
        lengths = lengths + 1
    elif "off_by_one_length:one_less" in mistakes:
        lengths = lengths - 1
    hidden = torch.arange(m) >= lengths[:, None, None, None]
    if "pads_on_the_left" in mistakes:
        hidden = torch.arange(m) < m - lengths[:, None, None, None]
    if (n == 1 and "one_query_unmasked" in mistakes) or mistakes & {
        "ignores_lengths",
        "masks_queries_not_keys",
    }:
        return torch.zeros_like(hidden)
    return ~hidden if any(m.startswith("hides_the_real") for m in mistakes) else hidden
