"""Multi-head attention with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "view_without_transpose": Mistake(
        "You view (b, n, h*d) as (b, h, n, d). The shape is right, the numbers are not: tokens "
        "become heads. View as (b, n, h, d), then swap the two axes.",
        concept="multi-head",
    ),
    "merge_without_transpose": Mistake(
        "You merge (b, h, n, d) into (b, n, h*d) by a reshape alone. That mixes tokens: swap n "
        "and h first, so that h and d are neighbours.",
        concept="multi-head",
    ),
    "split_as_d_h": Mistake(
        "You split h*d as (d, h), so a head takes every h-th column. Head i owns d columns "
        "next to each other.",
        concept="multi-head",
    ),
    "scale_by_model_size": Mistake(
        "You divide by the square root of the model size. A score is a sum over the d numbers "
        "of one head, so it is sqrt(d).",
        concept="scaling",
        variants=("input", "all_heads"),
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
    "one_projection": Mistake(
        "Queries, keys and values all come from w_q. They are three different projections of "
        "the same x.",
        concept="multi-head",
    ),
    "one_head": Mistake(
        "You attend with all h*d numbers at once, as one large head. Each head has scores and "
        "weights of its own.",
        concept="multi-head",
    ),
    "ignores_causal": Mistake(
        "causal=True changes nothing: every query sees every key.",
        concept="causal-mask",
    ),
    "looks_ahead_by_one": Mistake(
        "Your causal mask lets every query see one key too many, the one right after it.",
        concept="causal-mask",
    ),
    "transposed_mask": Mistake(
        "Your causal mask is upside down: a query sees itself and what follows, and the past "
        "is hidden.",
        concept="causal-mask",
    ),
}


def solve(
    x: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    w_o: Tensor,
    heads: int,
    causal: bool = False,
    mistakes: frozenset[str] = frozenset(),
) -> Tensor:
    """y: (b, n, model)."""
    width = w_q.shape[1]
    scale = (width // heads) ** -0.5
    if "no_scale" in mistakes:
        scale = 1.0
    elif "scale_by_model_size:input" in mistakes:
        scale = x.shape[-1] ** -0.5
    elif mistakes & {"scale_by_model_size:all_heads", "one_head"}:
        scale = width**-0.5
    if "one_head" in mistakes:
        heads = 1
    if "one_projection" in mistakes:
        w_k = w_v = w_q

    q, k, v = (_split(x @ w, heads, mistakes) for w in (w_q, w_k, w_v))
    scores = q @ k.transpose(-2, -1) * scale
    if causal and "ignores_causal" not in mistakes:
        scores = scores.masked_fill(_hidden(x.shape[1], mistakes), -torch.inf)
    o = _merge(torch.softmax(scores, dim=-1) @ v, mistakes)
    return o if "no_output_projection" in mistakes else o @ w_o


def _split(x: Tensor, heads: int, mistakes: frozenset[str]) -> Tensor:
    """(b, n, h*d) to (b, h, n, d)."""
    b, n, width = x.shape
    if "view_without_transpose" in mistakes:
        return x.reshape(b, heads, n, width // heads)
    if "split_as_d_h" in mistakes:
        return x.reshape(b, n, width // heads, heads).permute(0, 3, 1, 2)
    return x.reshape(b, n, heads, width // heads).transpose(1, 2)


def _merge(x: Tensor, mistakes: frozenset[str]) -> Tensor:
    """(b, h, n, d) to (b, n, h*d)."""
    b, h, n, d = x.shape
    if "merge_without_transpose" in mistakes:
        return x.reshape(b, n, h * d)
    return x.transpose(1, 2).reshape(b, n, h * d)


def _hidden(n: int, mistakes: frozenset[str]) -> Tensor:
    i, j = torch.arange(n)[:, None], torch.arange(n)
    if "transposed_mask" in mistakes:
        return j < i
    return j > i + ("looks_ahead_by_one" in mistakes)
