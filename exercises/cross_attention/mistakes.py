"""Cross-attention with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "keys_from_x": Mistake(
        "Your keys are projected from x. Keys and values describe the source; only the "
        "queries come from x.",
        concept="cross-attention",
    ),
    "values_from_x": Mistake(
        "Your values are projected from x. What is fetched lies in the source: values come "
        "from there, like the keys.",
        concept="cross-attention",
    ),
    "queries_from_source": Mistake(
        "Your queries are projected from the source, so that it attends to itself. Queries "
        "come from x, one for each token that is to be produced.",
        concept="cross-attention",
    ),
    "mask_on_query_axis": Mistake(
        "source_lengths hides rows of the scores instead of columns: queries at or beyond the "
        "length become zero, the others see the padding. It is keys that are padded.",
        concept="cross-attention",
    ),
    "ignores_lengths": Mistake(
        "Padded source positions are attended to like real ones. Hide keys at or beyond "
        "source_lengths.",
        concept="cross-attention",
    ),
    "off_by_one_length": Mistake(
        "Your mask is off by one: keys 0 to length - 1 are real, so j < length is visible.",
        concept="cross-attention",
        variants=("one_more", "one_less"),
    ),
    "causal_by_habit": Mistake(
        "You also hide source positions after the query's own, j <= i. The whole source is "
        "known before the first token is produced; nothing in it is the future.",
        concept="cross-attention",
    ),
    "nan_on_empty_source": Mistake(
        "A source of length 0 gives NaN: the softmax of only -inf divides 0 by 0. Its output "
        "should be zeros.",
        concept="fully-masked-row",
    ),
    "uniform_on_empty_source": Mistake(
        "A source of length 0 gives the mean of its padding: with a large finite number in "
        "place of -inf, equal scores give equal weights. Its output should be zeros.",
        concept="fully-masked-row",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
    "no_output_projection": Mistake(
        "You return the heads side by side. w_o is missing: it mixes what they found and leads "
        "back to the model size.",
        concept="multi-head",
    ),
}


def solve(
    x: Tensor,
    source: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    w_o: Tensor,
    heads: int,
    source_lengths: Tensor,
    mistakes: frozenset[str] = frozenset(),
) -> Tensor:
    """y: (b, n, model)."""
    q = _split(source if "queries_from_source" in mistakes else x, w_q, heads)
    k = _split(x if "keys_from_x" in mistakes else source, w_k, heads)
    v = _split(x if "values_from_x" in mistakes else source, w_v, heads)
    n, d = q.shape[-2:]

    scores = q @ k.transpose(-2, -1) * (1.0 if "no_scale" in mistakes else d**-0.5)
    rows = torch.arange(n) >= source_lengths[:, None]
    hidden = _hidden(n, source.shape[1], source_lengths, mistakes)
    fill = -torch.inf
    if "uniform_on_empty_source" in mistakes:
        fill = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(hidden, fill), dim=-1)
    if "nan_on_empty_source" not in mistakes:
        weights = weights.nan_to_num(nan=0.0)
    if "mask_on_query_axis" in mistakes:
        weights = weights.masked_fill(rows[:, None, :, None], 0)

    o = (weights @ v).transpose(1, 2).flatten(-2)
    return o if "no_output_projection" in mistakes else o @ w_o


def _split(x: Tensor, w: Tensor, heads: int) -> Tensor:
    """(b, n, D) to (b, h, n, d)."""
    return (x @ w).unflatten(-1, (heads, -1)).transpose(1, 2)


def _hidden(n: int, m: int, lengths: Tensor, mistakes: frozenset[str]) -> Tensor:
    """(b, 1, 1 or n, m), True where key j is hidden."""
    if "off_by_one_length:one_more" in mistakes:
        lengths = lengths + 1
    elif "off_by_one_length:one_less" in mistakes:
        lengths = lengths - 1
    hidden = torch.arange(m) >= lengths[:, None, None, None]
    if mistakes & {"ignores_lengths", "mask_on_query_axis"}:
        hidden = torch.zeros_like(hidden)
    if "causal_by_habit" in mistakes:
        hidden = hidden | (torch.arange(m) > torch.arange(n)[:, None])
    return hidden
