"""What goes wrong in ring attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "no_rescale": Mistake(
        "The maximum of a row moves on with a new shard, and what was accumulated before stays "
        "as it was. Multiply sum and output by exp(old - new) first.",
        concept="online-softmax",
        variants=("both", "output", "sum"),
    ),
    "rescale_wrong_way": Mistake(
        "You rescale with exp(new - old). The new maximum is the larger one, so what was "
        "accumulated before has to shrink: exp(old - new).",
        concept="online-softmax",
    ),
    "averages_shards": Mistake(
        "You normalise in every shard and average what comes out. A shard counts by its share "
        "of the sum of exponentials; merge partial results by their log-sum-exp.",
        concept="log-sum-exp",
    ),
    "wrong_owner_mask": Mistake(
        "The mask takes the keys for those of another rank. Shards move on by one rank a step, "
        "so in step t rank i holds what started at rank i - t.",
        concept="ring-attention",
        variants=("own_position", "other_direction"),
    ),
    "drops_diagonal": Mistake(
        "With causal, a rank sees only shards before its own. In its own shard it sees the "
        "tokens up to each query.",
        concept="ring-attention",
    ),
    "unmasked_diagonal": Mistake(
        "With causal, a rank sees its own shard whole. Inside it a query sees no key after its "
        "own position.",
        concept="mask-alignment",
    ),
    "not_causal": Mistake(
        "You ignore `causal`: every query sees every key.",
        concept="causal-mask",
    ),
    "last_hop_dropped": Mistake(
        "One shard too few comes by: with r ranks there are r shards to attend to, the own one "
        "and r - 1 that travel.",
        concept="ring-attention",
    ),
    "own_shard_only": Mistake(
        "Nothing travels: every rank attends to its own shard only.",
        concept="ring-attention",
    ),
    "values_stay": Mistake(
        "Only the keys travel: each rank weights its own values. Values move with their keys.",
        concept="ring-attention",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d).",
        concept="scaling",
    ),
    "gathers_keys": Mistake(
        "The answer is right, but a rank scores all keys at once: that is an all-gather, with "
        "s*n scores a rank where the ring has s*s.",
        concept="ring-attention",
        cost={"ring.peak_bytes": "~b*h*n*s + b*h*n*d"},
    ),
    "whole_matrix": Mistake(
        "The answer is right, but the whole score matrix is made. No rank of a ring could hold it.",
        concept="ring-attention",
        cost={"ring.peak_bytes": "~b*h*n*n + b*h*n*d"},
    ),
}


def build(mistakes: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The function with these mistakes."""

    def ring_attention(
        q_shards: Sequence[Tensor],
        k_shards: Sequence[Tensor],
        v_shards: Sequence[Tensor],
        causal: bool = False,
    ) -> list[Tensor]:
        causal = causal and "not_causal" not in mistakes
        if "whole_matrix" in mistakes:
            q = torch.cat(list(q_shards), dim=2)
            shards = [(torch.cat(list(k_shards), 2), torch.cat(list(v_shards), 2), 0)]
            return list(_rank(q, 0, shards, causal, mistakes).split(q_shards[0].shape[2], dim=2))
        found = []
        for rank, q in enumerate(q_shards):
            order = [(rank - step) % len(q_shards) for step in range(len(q_shards))]
            if "gathers_keys" in mistakes:
                shards = [(torch.cat(list(k_shards), 2), torch.cat(list(v_shards), 2), 0)]
            elif "values_stay" in mistakes:
                shards = [(k_shards[owner], v_shards[rank], owner) for owner in order]
            else:
                shards = [(k_shards[owner], v_shards[owner], owner) for owner in order]
            if "last_hop_dropped" in mistakes:
                shards = shards[: max(len(shards) - 1, 1)]
            if "own_shard_only" in mistakes:
                shards = shards[:1]
            if "wrong_owner_mask:own_position" in mistakes:
                shards = [(k, v, rank) for k, v, _ in shards]
            elif "wrong_owner_mask:other_direction" in mistakes:
                ranks = len(q_shards)
                shards = [(k, v, (2 * rank - owner) % ranks) for k, v, owner in shards]
            found.append(_rank(q, rank, shards, causal, mistakes))
        return found

    return {"ring_attention": ring_attention}


def _rank(
    q: Tensor,
    rank: int,
    shards: Sequence[tuple[Tensor, Tensor, int]],
    causal: bool,
    mistakes: frozenset[str],
) -> Tensor:
    """What one rank accumulates over the shards that come by."""
    wide = torch.float64 if q.dtype is torch.float64 else torch.float32
    s, d = q.shape[-2:]
    top = torch.full((*q.shape[:-1], 1), -torch.inf, dtype=wide)
    total = torch.zeros_like(top)
    o = torch.zeros(q.shape, dtype=wide)
    outputs = []
    for k, v, owner in shards:
        scores = (q @ k.transpose(-2, -1)).to(wide)
        scores = scores * (1.0 if "no_scale" in mistakes else d**-0.5)
        if causal:
            rows = torch.arange(s)[:, None] + rank * s
            keys = torch.arange(k.shape[-2]) + owner * s
            future = keys > rows
            if "unmasked_diagonal" in mistakes and owner == rank:
                future = future & False
            if "drops_diagonal" in mistakes:
                future = keys >= rank * s
            scores = scores.masked_fill(future.expand(s, -1), -torch.inf)
        block_top = scores.amax(-1, keepdim=True)
        new = torch.maximum(top, block_top)
        base = new.masked_fill(new.isneginf(), 0)
        weights = torch.exp(scores - base)
        if "averages_shards" in mistakes:
            part = weights.sum(-1, keepdim=True)
            outputs.append((weights / part).nan_to_num(nan=0.0) @ v.to(wide))
        factor = torch.exp(top - base)
        if "rescale_wrong_way" in mistakes:
            factor = torch.exp(base - top).masked_fill(top.isneginf(), 0)
        both = "no_rescale:both" in mistakes
        total = total * (1.0 if both or "no_rescale:sum" in mistakes else factor)
        o = o * (1.0 if both or "no_rescale:output" in mistakes else factor)
        total = total + weights.sum(-1, keepdim=True)
        o = o + weights @ v.to(wide)
        top = new
    if "averages_shards" in mistakes:
        return torch.stack(outputs).mean(0).to(q.dtype)
    return (o / total).to(q.dtype)
