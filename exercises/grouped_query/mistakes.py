"""Grouped-query attention with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "interleaved_groups": Mistake(
        "Each head meets the right keys, but the results are put back in the order (r, g): "
        "head i of the output belongs to another query head. Flatten (g, r), g outermost.",
        concept="grouped-query",
    ),
    "tiled_groups": Mistake(
        "Query head i reads group i mod g, as if k were tiled (repeat). Neighbouring heads "
        "share a group: it is i // (h // g), as repeat_interleave has it.",
        concept="grouped-query",
    ),
    "first_group_only": Mistake(
        "All heads read the first head of keys and values; the other groups are never used.",
        concept="grouped-query",
    ),
    "values_of_wrong_group": Mistake(
        "Keys are shared in the right way, values are not: head i reads the values of group "
        "i mod g. Both belong to group i // (h // g).",
        concept="grouped-query",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
    "softmax_over_queries": Mistake(
        "Your softmax runs over the queries. Each query spreads a weight of 1 over its keys, "
        "so it has to run over the last axis of the scores.",
        concept="softmax-axis",
    ),
    "expanded_copy": Mistake(
        "The answer is right, but you repeat keys and values to all h heads. When one token is "
        "decoded that takes b*h*m*d, h/g times the cache itself: what grouping saved is gone.",
        concept="grouped-query",
        cost={"peak_bytes": "~b*g*r*m*d + b*g*r*n*m"},
    ),
}


def solve(q: Tensor, k: Tensor, v: Tensor, mistakes: frozenset[str] = frozenset()) -> Tensor:
    """o: (b, h, n, d)."""
    h, d = q.shape[1], q.shape[-1]
    g = k.shape[1]
    head = torch.arange(h)
    right, tiled = head // (h // g), head % g
    k_group = v_group = right
    if "first_group_only" in mistakes:
        k_group = v_group = torch.zeros_like(head)
    elif "tiled_groups" in mistakes:
        k_group = v_group = tiled
    elif "values_of_wrong_group" in mistakes:
        v_group = tiled
    # A head of keys for each head of queries: this is the mistake expanded_copy.
    k, v = k[:, k_group], v[:, v_group]
    scale = 1.0 if "no_scale" in mistakes else d**-0.5
    axis = -2 if "softmax_over_queries" in mistakes else -1
    o = torch.softmax(q @ k.transpose(-2, -1) * scale, axis) @ v
    if "interleaved_groups" in mistakes:
        o = o.unflatten(1, (g, h // g)).transpose(1, 2).flatten(1, 2)
    return o
