"""A tiled forward pass with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from quizprep.exercise import Mistake

MISTAKES = {
    "no_rescale_acc": Mistake(
        "When a tile raises the maximum of a row, what was summed before still refers to the "
        "old maximum. Both the accumulator and the running sum have to be multiplied by "
        "exp(old - new); at least one of them is not.",
        concept="online-softmax",
        variants=("acc", "sum", "both"),
    ),
    "rescale_wrong_way": Mistake(
        "You rescale with exp(new - old). The old sums were taken relative to the smaller "
        "maximum and are too large now, so the factor has to be exp(old - new), at most 1.",
        concept="online-softmax",
        variants=("guarded", "infinite_at_first"),
    ),
    "starts_max_at_zero": Mistake(
        "Your running maximum starts at 0. In a row whose scores all lie far below 0 every "
        "exponential underflows and the row is lost; the maximum of nothing is -inf.",
        concept="online-softmax",
    ),
    "divides_every_tile": Mistake(
        "You divide the accumulator by the running sum after every tile. What was divided once "
        "is divided again later; divide once, after the last tile.",
        concept="online-softmax",
    ),
    "no_final_division": Mistake(
        "You never divide by the sum of the exponentials: the weights of a row do not add up to 1.",
        concept="online-softmax",
    ),
    "tail_tile_unmasked": Mistake(
        "When block does not divide m, your last tile of keys is filled up with zeros that "
        "count as keys: each has score 0, so it takes weight exp(0 - max) in the sum.",
        concept="tiling",
    ),
    "tail_tile_dropped": Mistake(
        "When block does not divide m, the last, partial tile of keys is never visited: the "
        "number of tiles has to be rounded up.",
        concept="tiling",
    ),
    "diagonal_tile_unmasked": Mistake(
        "Tiles that the diagonal crosses are taken whole, so queries see keys of their future "
        "that happen to lie in the same tile. Whole tiles can be skipped, but these need the "
        "mask inside.",
        concept="tiling",
    ),
    "ignores_causal": Mistake(
        "causal=True changes nothing: every query sees every key.",
        concept="causal-mask",
    ),
    "strict_mask": Mistake(
        "Your causal mask hides the diagonal: query i no longer sees its own key. The last "
        "key that it may see is j = i + m - n, so the comparison is <=, not <.",
        concept="causal-mask",
    ),
    "top_left_aligned": Mistake(
        "Your causal mask starts in the top left corner: query i sees keys 0 to i even when n "
        "and m differ. The n queries are the last n positions, so query i sits at i + m - n.",
        concept="mask-alignment",
    ),
    "nan_on_empty_row": Mistake(
        "A query that sees no key (causal, n > m) comes out as NaN. Its maximum stays -inf and "
        "its sum 0: exp(-inf - -inf) and 0 / 0 have no value. It should give o = 0 and "
        "lse = -inf.",
        concept="fully-masked-row",
        variants=("o_only", "o_and_lse_in_visited_tiles", "visited_tiles", "o_and_lse"),
    ),
    "lse_without_max": Mistake(
        "Your lse is the logarithm of the sum alone. The sum was taken relative to the "
        "maximum, so lse = max + log(sum).",
        concept="log-sum-exp",
    ),
    "lse_in_base_2": Mistake(
        "Your lse is a logarithm to the base 2. Where you compute with exp2, scores carry a factor "
        "of log2(e): multiply the result by ln(2) = 0.693 before you return it.",
        concept="log-sum-exp",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
    "materialises_scores": Mistake(
        "The answer is right, but you hold scores for all pairs of query and key at once: "
        "memory grows with n*m. At any time only one tile of them is needed.",
        concept="flash-memory",
        cost={"peak_bytes": "~b*h*n*m"},
    ),
}


def solve(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    block: int,
    causal: bool = False,
    mistakes: frozenset[str] = frozenset(),
) -> tuple[Tensor, Tensor]:
    """o: (b, h, n, d); lse: (b, h, n)."""
    if "ignores_causal" in mistakes:
        causal = False
    # Cost is read only where the answer is right, so next to other mistakes this one is silent.
    if mistakes == {"materialises_scores"}:
        return _whole(q, k, v, causal)
    n, m = q.shape[-2], k.shape[-2]
    tiles = [
        _query_tile(q[..., i : i + block, :], k, v, i, m - n, block, causal, mistakes)
        for i in range(0, n, block)
    ]
    o = torch.cat([o for o, _ in tiles], dim=-2)
    lse = torch.cat([lse for _, lse in tiles], dim=-1)
    return o.to(q.dtype), lse


def _query_tile(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    first: int,
    offset: int,
    block: int,
    causal: bool,
    mistakes: frozenset[str],
) -> tuple[Tensor, Tensor]:
    """The rows of one tile: q is (b, h, rows, d) and starts at query ``first``."""
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    rows, d = q.shape[-2:]
    m = k.shape[-2]
    scale = 1.0 if "no_scale" in mistakes else d**-0.5
    strict = "strict_mask" in mistakes
    start = 0.0 if "starts_max_at_zero" in mistakes else -torch.inf
    empty = {name for name in mistakes if name.startswith("nan_on_empty_row")}
    by_zero = bool(empty - {"nan_on_empty_row:visited_tiles"})

    last = first + torch.arange(rows)[:, None] - (1 if strict else 0)
    if "top_left_aligned" not in mistakes:
        last = last + offset
    acc = torch.zeros(*q.shape[:-1], v.shape[-1], dtype=wide)
    top = torch.full((*q.shape[:-1], 1), start, dtype=wide)
    total = torch.zeros_like(top)

    stop = m // block * block if "tail_tile_dropped" in mistakes else m
    for j in range(0, stop, block):
        skipped = causal and j > int(last[-1])
        if skipped and "nan_on_empty_row:o_and_lse" not in mistakes:
            break
        k_tile, v_tile = k[..., j : j + block, :], v[..., j : j + block, :]
        if "tail_tile_unmasked" in mistakes:
            missing = block - k_tile.shape[-2]
            k_tile, v_tile = pad(k_tile, (0, 0, 0, missing)), pad(v_tile, (0, 0, 0, missing))
        scores = (q @ k_tile.transpose(-2, -1)).to(wide) * scale
        if causal and (skipped or "diagonal_tile_unmasked" not in mistakes):
            hidden = j + torch.arange(scores.shape[-1]) > last
            scores = scores.masked_fill(hidden, -torch.inf)

        raised = torch.maximum(top, scores.amax(-1, keepdim=True))
        # exp(-inf - -inf) is where an unguarded row that saw nothing turns into NaN.
        unguarded = bool(empty - {"nan_on_empty_row:o_only"})
        base = raised if unguarded else raised.masked_fill(raised.isneginf(), 0)
        weights = torch.exp(scores - base)
        rescale = torch.exp(top - base)
        if "rescale_wrong_way:guarded" in mistakes:
            rescale = torch.exp(base - top).masked_fill(top.isneginf(), 0)
        elif "rescale_wrong_way:infinite_at_first" in mistakes:
            rescale = torch.exp(base - top)
        keep_acc, keep_sum = _rescales(rescale, mistakes)
        total = total * keep_sum + weights.sum(-1, keepdim=True)
        acc = acc * keep_acc + weights.to(v.dtype) @ v_tile
        if "divides_every_tile" in mistakes:
            acc = acc / (total if by_zero else total.masked_fill(total == 0, 1))
        top = raised

    undivided = {"divides_every_tile", "no_final_division"} & mistakes
    if not undivided:
        acc = acc / (total if by_zero else total.masked_fill(total == 0, 1))
    lse = total.log() if "lse_without_max" in mistakes else top + total.log()
    if "lse_in_base_2" in mistakes:
        lse = lse / math.log(2)
    return acc, lse.squeeze(-1)


def _rescales(rescale: Tensor, mistakes: frozenset[str]) -> tuple[Tensor, Tensor]:
    """The factors of the accumulator and of the running sum."""
    one = torch.ones_like(rescale)
    both = "no_rescale_acc:both" in mistakes
    acc = one if both or "no_rescale_acc:acc" in mistakes else rescale
    total = one if both or "no_rescale_acc:sum" in mistakes else rescale
    return acc, total


def _whole(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
    """Textbook attention: right, with (b, h, n, m) scores and weights."""
    n, d = q.shape[-2:]
    m = k.shape[-2]
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    scores = (q @ k.transpose(-2, -1)).to(wide) * d**-0.5
    if causal:
        hidden = torch.arange(m) > torch.arange(n)[:, None] + m - n
        scores = scores.masked_fill(hidden, -torch.inf)
    lse = torch.logsumexp(scores, dim=-1)
    # nan_to_num: a row that sees nothing has the softmax NaN.
    weights = torch.softmax(scores, dim=-1).nan_to_num(nan=0.0)
    return weights.to(v.dtype) @ v, lse
