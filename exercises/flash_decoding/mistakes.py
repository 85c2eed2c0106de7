"""Split decoding with a switch for every known mistake; with none on it is right.

Keys can be cut in two ways, both common: parts whose lengths differ by one at most (``even``),
or parts of ceil(m/splits) keys with a shorter one at the end (``ceil``). A right merge does not
depend on it, a wrong one does, so wrong ones come in both variants.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "averages_partials": Mistake(
        "You average the partial outputs. A split with larger scores holds more of the weight: "
        "its share is exp(lse of the split) / sum of all exp(lse).",
        concept="split-decoding",
        variants=("even", "ceil", "even_with_empty", "ceil_with_empty"),
    ),
    "forgets_rescale": Mistake(
        "You add sums and accumulators of all splits as they are. Each is relative to the "
        "maximum of its own split: multiply by exp(own maximum - common maximum) first.",
        concept="log-sum-exp",
        variants=("even", "ceil"),
    ),
    "merges_by_maximum": Mistake(
        "You weigh the partial outputs by exp(maximum) of each split. A split with many good "
        "keys counts for more than one with a single good key: weigh by exp(lse), lse = "
        "maximum + log(sum).",
        concept="log-sum-exp",
        variants=("even", "ceil"),
    ),
    "empty_split_nan": Mistake(
        "A split without keys makes the result NaN. Its maximum is -inf and its sum 0; it has "
        "to count for nothing.",
        concept="split-decoding",
        variants=("even", "ceil"),
    ),
    "remainder_dropped": Mistake(
        "Your splits have m // splits keys each, so the last m % splits keys are never seen.",
        concept="tiling",
    ),
    "largest_split_only": Mistake(
        "You return the partial output of the split with the largest lse. The others hold "
        "weight as well.",
        concept="split-decoding",
        variants=("even", "ceil"),
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
}


def solve(
    q: Tensor, k: Tensor, v: Tensor, splits: int, mistakes: frozenset[str] = frozenset()
) -> Tensor:
    """o: (b, h, 1, d)."""
    dtype = q.dtype
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    scores = (q @ k.transpose(-2, -1)).to(wide)
    if "no_scale" not in mistakes:
        scores = scores * q.shape[-1] ** -0.5
    parts = _cut(k.shape[-2], splits, mistakes)
    partial = [_part(scores[..., a:b], v[..., a:b, :].to(wide)) for a, b in parts]
    top = torch.stack([p[0] for p in partial])
    total = torch.stack([p[1] for p in partial])
    acc = torch.stack([p[2] for p in partial])
    full = total != 0

    factor = torch.exp(top - top.amax(dim=0))
    named = {name.split(":")[0] for name in mistakes}
    if "averages_partials" in named:
        with_empty = any(name.endswith("with_empty") for name in mistakes)
        count = len(parts) if with_empty else full.sum(dim=0)
        o = (acc / total.masked_fill(~full, 1)).sum(dim=0) / count
    elif "largest_split_only" in named:
        largest = (top + total.log()).argmax(dim=0, keepdim=True)
        o = (acc / total).gather(0, largest.expand(1, *acc.shape[1:]))[0]
    elif "merges_by_maximum" in named:
        means = acc / total.masked_fill(~full, 1)
        if "forgets_rescale" in named:
            factor = full.to(wide)
        o = (factor * means).sum(dim=0) / factor.sum(dim=0)
    else:
        if "forgets_rescale" in named:
            factor = torch.ones_like(factor)
        o = (factor * acc).sum(dim=0) / (factor * total).sum(dim=0)
    if "empty_split_nan" in named and any(a == b for a, b in parts):
        o = o * torch.nan
    return o.to(dtype)


def _cut(m: int, splits: int, mistakes: frozenset[str]) -> list[tuple[int, int]]:
    """Where each split begins and ends."""
    if "remainder_dropped" in mistakes:
        size = m // splits
        return [(s * size, (s + 1) * size) for s in range(splits)]
    if any(":ceil" in name for name in mistakes):
        size = -(-m // splits)
        return [(min(s * size, m), min((s + 1) * size, m)) for s in range(splits)]
    edges = [s * (m // splits) + min(s, m % splits) for s in range(splits + 1)]
    return list(pairwise(edges))


def _part(scores: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Maximum, sum and accumulator of one split: (b, h, 1, 1), (b, h, 1, 1), (b, h, 1, d)."""
    if scores.shape[-1] == 0:
        empty = scores.new_full((*scores.shape[:-1], 1), -torch.inf)
        return empty, torch.zeros_like(empty), scores @ v
    top = scores.amax(dim=-1, keepdim=True)
    exponentials = torch.exp(scores - top)
    return top, exponentials.sum(dim=-1, keepdim=True), exponentials @ v
