"""Window plus global tokens with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "global_rows_only": Mistake(
        "Global tokens see everything, but not everybody sees them: far away tokens lack the "
        "global columns. That is how what they gathered gets back to the others.",
        concept="sparse-attention",
    ),
    "global_columns_only": Mistake(
        "Everybody sees the global tokens, but these see only their window. A global token's "
        "row is plain attention over all keys.",
        concept="sparse-attention",
    ),
    "double_counted_overlap": Mistake(
        "A global token inside the window counts twice, once as a neighbour and once as a "
        "global key. Hide it in one of the two before the softmax.",
        concept="sparse-attention",
        variants=("all_rows", "other_rows"),
    ),
    "window_off_by_one": Mistake(
        "Your window is off by one. It reaches `window` keys to each side, |i - j| <= window, "
        "so a window of 0 is the token alone.",
        concept="sparse-attention",
        variants=("too_wide", "too_narrow"),
    ),
    "one_sided_window": Mistake(
        "Your window looks back only. This attention has two sides: |i - j| <= window.",
        concept="sparse-attention",
    ),
    "half_window": Mistake(
        "You take `window` as the width of the whole window. It is its reach to each side.",
        concept="sparse-attention",
    ),
    "separate_softmaxes": Mistake(
        "Window and global keys get a softmax each, and the results are added: the weights of "
        "a row add up to 2. One softmax runs over both.",
        concept="sparse-attention",
    ),
    "padding_visible": Mistake(
        "Queries near the ends also see the zeros that you put around the sequence: each has "
        "the score 0 and so the weight exp(0). Padding has to be hidden like any other key.",
        concept="mask-before-softmax",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
    "full_matrix": Mistake(
        "The answer is right, but you compute a score for every pair of query and key and hide "
        "most of them: the work grows with n*n. Only some 2*window + 1 + globals a query are "
        "needed.",
        concept="attention-cost",
        cost={"flops": "~b*h*n**2*d"},
    ),
}


def solve(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    window: int,
    global_tokens: list[int],
    mistakes: frozenset[str] = frozenset(),
) -> Tensor:
    """o: (b, h, n, d). Dense, so the plain answer already is the mistake full_matrix."""
    n, d = q.shape[-2:]
    positions = [int(position) for position in global_tokens]
    is_global = torch.zeros(n, dtype=torch.bool)
    is_global[positions] = True
    rows = is_global[:, None].expand(n, n)
    if "global_columns_only" in mistakes:
        rows = torch.zeros_like(rows)
    columns = is_global.expand(n, n)
    if "global_rows_only" in mistakes:
        columns = torch.zeros_like(columns)

    pad = window if "padding_visible" in mistakes else 0
    i, j = torch.arange(n)[:, None], torch.arange(-pad, n + pad)
    near = _near(i, j, window, mistakes)
    # Beyond the ends lie zeros, and a global query, which has a row of its own, sees none.
    inside = (j >= 0) & (j < n)
    near = near & (inside | ~rows[:, :1])
    zeros = k.new_zeros(*k.shape[:-2], pad, d)
    k, v = (torch.cat([zeros, x, zeros], dim=-2) for x in (k, v))
    rows, columns = (
        torch.nn.functional.pad(mask, (pad, pad), value=False) for mask in (rows, columns)
    )

    scores = q @ k.transpose(-2, -1) * (1.0 if "no_scale" in mistakes else d**-0.5)
    if "separate_softmaxes" in mistakes:
        # A global row is plain attention: it has no parts.
        first = _softmax(scores, near | rows)
        second = _softmax(scores, columns & ~rows[:, pad : pad + 1])
        return (first + second) @ v

    visible = near | rows | columns
    twice = torch.zeros_like(visible)
    if "double_counted_overlap:all_rows" in mistakes:
        twice = near & columns
    elif "double_counted_overlap:other_rows" in mistakes:
        twice = near & columns & ~rows
    # Counted twice, the exponential is twice as large.
    scores = scores + torch.log(1.0 + twice).to(scores.dtype)
    return _softmax(scores, visible) @ v


def _near(i: Tensor, j: Tensor, window: int, mistakes: frozenset[str]) -> Tensor:
    reach = window
    if "half_window" in mistakes:
        reach = window // 2
    if "window_off_by_one:too_wide" in mistakes:
        reach += 1
    elif "window_off_by_one:too_narrow" in mistakes:
        reach -= 1
    near = (i - j).abs() <= reach
    return near & (j <= i) if "one_sided_window" in mistakes else near


def _softmax(scores: Tensor, visible: Tensor) -> Tensor:
    """Over what is visible; a row of nothing gives zeros."""
    return torch.softmax(scores.masked_fill(~visible, -torch.inf), dim=-1).nan_to_num(nan=0.0)
