"""Roles of heads with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "prev_next_swapped": Mistake(
        "Previous and next are swapped. Rows are queries, so weights[i, i - 1], below the "
        "diagonal, is what a token gives to the one before it.",
        concept="head-roles",
    ),
    "no_average_over_rows": Mistake(
        "You add up the rows instead of averaging over them, so that the scores grow with the "
        "length of the text.",
        concept="head-roles",
    ),
    "no_average_over_batch": Mistake(
        "You add up the sequences of the batch instead of averaging over them.",
        concept="head-roles",
    ),
    "first_sequence_only": Mistake(
        "You look at the first sequence of the batch only.",
        concept="head-roles",
    ),
    "counts_first_row": Mistake(
        "You divide the sum over n - 1 rows by n: the first query has no previous token and "
        "the last one no next token, and rows without one do not count.",
        concept="head-roles",
        variants=("previous", "previous_and_next"),
    ),
    "first_row_not_column": Mistake(
        "For the first token you average the first row, what token 0 gives to others. What it "
        "receives stands in the first column.",
        concept="head-roles",
    ),
    "most_frequent_token": Mistake(
        "You take the most frequent token of the sequence. The rarest has the smallest count.",
        concept="head-roles",
    ),
    "last_of_equals": Mistake(
        "Of several equally rare tokens you take the last one; the first is asked for.",
        concept="head-roles",
    ),
    "rarest_of_first_sequence": Mistake(
        "You use the position of the first sequence's rarest token for the whole batch. Each "
        "sequence has its own.",
        concept="head-roles",
    ),
    "row_of_rarest": Mistake(
        "For the rarest token you average its row, what it gives to others, which is 1/n. "
        "What it receives stands in its column.",
        concept="head-roles",
    ),
    "nan_for_one_token": Mistake(
        "With a single token there is no previous and no next one, and the mean of nothing is "
        "NaN. It should be 0.",
        concept="head-roles",
    ),
}


def solve(weights: Tensor, token_freq: Tensor, mistakes: frozenset[str] = frozenset()) -> Tensor:
    """scores: (h, 5)."""
    b, _, n, _ = weights.shape
    dtype = weights.dtype
    weights = weights if dtype == torch.float64 else weights.float()
    if "first_sequence_only" in mistakes:
        weights, token_freq, b = weights[:1], token_freq[:1], 1
    rarest = _rarest(token_freq, mistakes)
    at = rarest[:, None, None, None]
    first = weights[..., 0, :] if "first_row_not_column" in mistakes else weights[..., 0]
    if "row_of_rarest" in mistakes:
        rare = weights.gather(-2, at.expand(*weights.shape[:2], 1, n)).squeeze(-2)
    else:
        rare = weights.gather(-1, at.expand(*weights.shape[:-1], 1)).squeeze(-1)
    previous = weights.diagonal(-1, -2, -1)
    following = weights.diagonal(1, -2, -1)
    if "prev_next_swapped" in mistakes:
        previous, following = following, previous
    both = "counts_first_row:previous_and_next" in mistakes
    one = both or "counts_first_row:previous" in mistakes
    rows = [
        (previous, n if one else n - 1),
        (following, n if both else n - 1),
        (first, n),
        (weights.diagonal(0, -2, -1), n),
        (rare, n),
    ]
    scores = []
    for row, count in rows:
        total = row.sum(dim=(0, -1))
        if "no_average_over_batch" not in mistakes:
            total = total / b
        if count == 0 and "nan_for_one_token" in mistakes:
            total = total * torch.nan
        elif "no_average_over_rows" not in mistakes:
            total = total / max(count, 1)
        scores.append(total)
    return torch.stack(scores, dim=-1).to(dtype)


def _rarest(token_freq: Tensor, mistakes: frozenset[str]) -> Tensor:
    """(b,), a position in each sequence."""
    n = token_freq.shape[-1]
    if "most_frequent_token" in mistakes:
        token_freq = -token_freq
    if "last_of_equals" in mistakes:
        rarest = n - 1 - token_freq.flip(-1).argmin(-1)
    else:
        rarest = token_freq.argmin(-1)
    if "rarest_of_first_sequence" in mistakes:
        rarest = rarest[:1].expand_as(rarest)
    return rarest
