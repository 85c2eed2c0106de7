"""Windowed attention with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "window_off_by_one": Mistake(
        "Your window is off by one. Query i sees window keys, itself included: i - window + 1 "
        "to i.",
        concept="sparse-attention",
        variants=("too_wide", "too_narrow"),
    ),
    "forgot_causal": Mistake(
        "You hide only what is older than the window: every query sees all of the future.",
        concept="causal-mask",
    ),
    "symmetric_window": Mistake(
        "Your window reaches to both sides, |i - j| < window. This one is causal: it ends at "
        "query i itself.",
        concept="causal-mask",
    ),
    "ignores_window": Mistake(
        "The window changes nothing: every query sees all of its past.",
        concept="sparse-attention",
    ),
    "own_block_only": Mistake(
        "A query sees only keys of its own block of `window` positions. Except for the last "
        "one of a block its window reaches into the block before.",
        concept="tiling",
    ),
    "padding_visible": Mistake(
        "The first queries also see the zeros that you put before the sequence: each has the "
        "score 0 and so the weight exp(0). Padding has to be hidden like any other key.",
        concept="mask-before-softmax",
        variants=("always", "in_blocks"),
    ),
    "mask_after_softmax": Mistake(
        "You mask the weights after the softmax. The hidden keys have already taken their "
        "share of the sum, so the weights that remain add up to less than 1.",
        concept="mask-before-softmax",
        variants=("of_all_keys", "of_two_blocks", "of_the_windows_of_a_block"),
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
    "full_matrix": Mistake(
        "The answer is right, but you compute a score for every pair of query and key and hide "
        "most of them: the work grows with n*n. Only n*window of them are needed.",
        concept="attention-cost",
        cost={"flops": "~b*h*n**2*d"},
    ),
}


def solve(
    q: Tensor, k: Tensor, v: Tensor, window: int, mistakes: frozenset[str] = frozenset()
) -> Tensor:
    """o: (b, h, n, d). Dense, so the plain answer already is the mistake full_matrix."""
    n, d = q.shape[-2:]
    start = 0
    if "padding_visible:always" in mistakes or (
        "padding_visible:in_blocks" in mistakes and window < n
    ):
        start = 1 - window
        zeros = k.new_zeros(*k.shape[:-2], window - 1, d)
        k, v = torch.cat([zeros, k], dim=-2), torch.cat([zeros, v], dim=-2)
    scores = q @ k.transpose(-2, -1) * (1.0 if "no_scale" in mistakes else d**-0.5)
    hidden = ~_visible(torch.arange(n)[:, None], torch.arange(start, n), window, mistakes)
    after = {switch for switch in mistakes if switch.startswith("mask_after_softmax")}
    if after:
        block = torch.arange(n)[:, None] // window * window
        first = block - (window if "mask_after_softmax:of_two_blocks" in after else window - 1)
        j = torch.arange(start, n)
        outside = (j < first) | (j >= block + window)
        if after != {"mask_after_softmax:of_all_keys"}:
            scores = scores.masked_fill(outside, -torch.inf)
        return torch.softmax(scores, dim=-1).masked_fill(hidden, 0) @ v
    return torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1) @ v


def _visible(i: Tensor, j: Tensor, window: int, mistakes: frozenset[str]) -> Tensor:
    """True where query i may see key j."""
    width = window
    if "window_off_by_one:too_wide" in mistakes:
        width += 1
    elif "window_off_by_one:too_narrow" in mistakes:
        width -= 1
    recent = i - j < width
    if "ignores_window" in mistakes:
        recent = torch.ones_like(recent)
    elif "own_block_only" in mistakes:
        recent = recent & (i // window == j.div(window, rounding_mode="floor"))
    if "forgot_causal" in mistakes:
        return recent
    if "symmetric_window" in mistakes:
        return recent & (j - i < width)
    return recent & (j <= i)
