"""ALiBi with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "positive_slope": Mistake(
        "Your bias has the wrong sign: the farther away a key is, the more weight it gets. "
        "Distance is a penalty, score - slope*(i - j).",
        concept="alibi",
    ),
    "slopes_linear": Mistake(
        "Your slopes are evenly spaced, (h - k)/h. They form a geometric sequence, "
        "2**(-8*(k + 1)/h): from one head to the next they shrink by the same factor.",
        concept="alibi",
    ),
    "slopes_from_one": Mistake(
        "Your slopes start one too early: head 0 has the slope 1. Head k, counted from 0, has "
        "2**(-8*(k + 1)/h).",
        concept="alibi",
    ),
    "slopes_reversed": Mistake(
        "Your slopes are in the reverse order: head 0 has the gentlest. In the paper it has "
        "the steepest, 2**(-8/h).",
        concept="alibi",
    ),
    "same_slope_for_all_heads": Mistake(
        "All heads share one slope. Each has its own, so that some look near and some look far.",
        concept="alibi",
        variants=("first", "last"),
    ),
    "bias_before_scale": Mistake(
        "You add the bias before you divide by sqrt(d), so it is divided as well, and how far a "
        "head looks depends on its size. Scale the products first, then add the bias.",
        concept="alibi",
    ),
    "bias_by_query_only": Mistake(
        "Your bias depends on the query's position alone. It is the same for all keys of a "
        "row, and a softmax does not change when a constant is added: there is no effect.",
        concept="alibi",
    ),
    "no_mask": Mistake(
        "Nothing is hidden: keys of the future have a negative distance, which even rewards them.",
        concept="causal-mask",
    ),
    "symmetric_no_mask": Mistake(
        "You penalise the distance |i - j| to both sides and hide nothing. This attention is "
        "causal: the future is hidden, not just penalised.",
        concept="causal-mask",
    ),
    "top_left_aligned": Mistake(
        "Your mask starts in the top left corner: query i sees keys 0 to i even when n and m "
        "differ. The n queries are the last n positions, so query i sits at i + m - n.",
        concept="mask-alignment",
    ),
    "no_scale": Mistake(
        "You do not divide the products by sqrt(d). ALiBi replaces the position embedding, not "
        "the scale.",
        concept="scaling",
    ),
}


def solve(q: Tensor, k: Tensor, v: Tensor, mistakes: frozenset[str] = frozenset()) -> Tensor:
    """o: (b, h, n, d)."""
    h, n, d = q.shape[1:]
    m = k.shape[-2]
    scale = 1.0 if "no_scale" in mistakes else d**-0.5
    i = torch.arange(n)[:, None] + (0 if "top_left_aligned" in mistakes else m - n)
    j = torch.arange(m)
    distance = i - j
    if "symmetric_no_mask" in mistakes:
        distance = distance.abs()
    if "bias_by_query_only" in mistakes:
        distance = i.expand(n, m)
    bias = _slopes(h, mistakes)[:, None, None] * distance
    if "positive_slope" not in mistakes:
        bias = -bias
    if "bias_before_scale" in mistakes:
        bias = bias * scale
    scores = q @ k.transpose(-2, -1) * scale + bias.to(q.dtype)
    if not mistakes & {"no_mask", "symmetric_no_mask"}:
        scores = scores.masked_fill(j > i, -torch.inf)
    return torch.softmax(scores, dim=-1) @ v


def _slopes(h: int, mistakes: frozenset[str]) -> Tensor:
    """(h,)."""
    head = torch.arange(h, dtype=torch.float64)
    if "slopes_linear" in mistakes:
        slopes = (h - head) / h
    elif "slopes_from_one" in mistakes:
        slopes = 2 ** (-8 * head / h)
    else:
        slopes = 2 ** (-8 * (head + 1) / h)
    if "same_slope_for_all_heads:first" in mistakes:
        return slopes[:1].expand(h)
    if "same_slope_for_all_heads:last" in mistakes:
        return slopes[-1:].expand(h)
    return slopes.flip(0) if "slopes_reversed" in mistakes else slopes
