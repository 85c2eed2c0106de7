"""A tiled forward pass with a switch for every known mistake; with none on it is right.

What only a price gives away is a real kernel. The rest is a model in torch that reads the
memory around q, k and v as a faulty kernel would.
"""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

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
        variants=("log_of_sum", "log_of_divisor"),
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
        "When block_n does not divide m, lanes of your last tile of keys have no key. A load with "
        "a mask gives them 0, which is a score like any other: set it to -inf. Without a mask "
        "on the loads they hold what lies behind the matrix, and 0 times NaN is NaN.",
        concept="kernel-masking",
        variants=("scores", "loads", "everything", "values"),
    ),
    "head_tail_unmasked": Mistake(
        "Your block of columns is a power of two, d is not: lanes beyond d of q or k hold what "
        "lies behind the row and go into the scores, and 0 times NaN is NaN. Mask them in both "
        "and fill with 0.",
        concept="kernel-masking",
        variants=("next_power_of_2", "at_least_16", "only_q", "only_k"),
    ),
    "tail_tile_dropped": Mistake(
        "When block_n does not divide m, the last, partial tile of keys is never visited: the "
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
        variants=("log_of_sum", "log_of_divisor"),
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
    "takes_inputs_as_contiguous": Mistake(
        "You find heads and rows as if q, k and v were contiguous. Pass all four strides of "
        "each: after view and transpose a head's rows lie h*d elements apart.",
        concept="strides",
        variants=("last_axis", "all_axes"),
    ),
    "two_passes": Mistake(
        "The answer is right, but you read the keys twice: once for the maximum of a row, once "
        "for the exponentials. A running maximum, with a rescale when it rises, needs one pass.",
        concept="online-softmax",
        cost={"moved_bytes": "b*h*(12*n*m*d/block_m + 8*n*d + 4*n)"},
    ),
    "materialises_scores": Mistake(
        "The answer is right, but you write scores for all pairs of query and key to main memory: "
        "they take n*m values and have to be read again. A tile of them lives and dies in a "
        "program.",
        concept="flash-memory",
        cost={"peak_bytes": "~b*h*n*m"},
    ),
}


def solve(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    block_m: int,
    block_n: int,
    causal: bool = False,
    mistakes: frozenset[str] = frozenset(),
) -> tuple[Tensor, Tensor]:
    """o: (b, h, n, d); lse: (b, h, n)."""
    if "ignores_causal" in mistakes:
        causal = False
    # Cost is read only where the answer is right, so next to other mistakes these are silent.
    if mistakes and mistakes <= {"two_passes", "materialises_scores"}:
        return _in_two_passes(q, k, v, block_m, block_n, causal, "two_passes" not in mistakes)
    q, k, v = (_as_found(x, mistakes) for x in (q, k, v))
    n, m = q.shape[2], k.shape[2]
    tiles = [
        _query_tile(q, k, v, torch.arange(i, min(i + block_m, n)), m - n, block_n, causal, mistakes)
        for i in range(0, n, block_m)
    ]
    o = torch.cat([o for o, _ in tiles], dim=-2)
    lse = torch.cat([lse for _, lse in tiles], dim=-1)
    return o.to(q.dtype), lse


def _query_tile(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    row: Tensor,
    offset: int,
    block: int,
    causal: bool,
    mistakes: frozenset[str],
) -> tuple[Tensor, Tensor]:
    """The rows of one tile of queries over all tiles of ``block`` keys."""
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    b, h, _, d = q.shape
    m = k.shape[2]
    scale = 1.0 if "no_scale" in mistakes else d**-0.5
    above = any(name.startswith("starts_max_at_zero") for name in mistakes)
    start = 0.0 if above else -torch.inf
    empty = {name for name in mistakes if name.startswith("nan_on_empty_row")}
    by_zero = bool(empty - {"nan_on_empty_row:visited_tiles"})
    tail = {name.split(":")[1] for name in mistakes if name.startswith("tail_tile_unmasked")}

    col = torch.arange(_columns(d, mistakes))
    q_tile = _read(q, row, col).to(wide)
    if "head_tail_unmasked:only_k" in mistakes:
        q_tile = q_tile.masked_fill(col >= d, 0)
    last = row[:, None] - (1 if "strict_mask" in mistakes else 0)
    if "top_left_aligned" not in mistakes:
        last = last + offset
    acc = torch.zeros((b, h, len(row), d), dtype=wide)
    top = torch.full((b, h, len(row), 1), start, dtype=wide)
    total = torch.zeros_like(top)

    stop = m // block * block if "tail_tile_dropped" in mistakes else m
    for first in range(0, stop, block):
        skipped = causal and first > int(last[-1])
        if skipped and "nan_on_empty_row:o_and_lse" not in mistakes:
            break
        key = torch.arange(first, first + block)
        beyond = key >= m
        k_tile, v_tile = _read(k, key, col).to(wide), _read(v, key, torch.arange(d)).to(wide)
        if "head_tail_unmasked:only_q" in mistakes:
            k_tile = k_tile.masked_fill(col >= d, 0)
        if not tail & {"loads", "everything"}:
            k_tile = k_tile.masked_fill(beyond[:, None], 0)
            if "values" not in tail:
                v_tile = v_tile.masked_fill(beyond[:, None], 0)
        scores = q_tile @ k_tile.transpose(-2, -1) * scale
        if not tail & {"scores", "everything"}:
            scores = scores.masked_fill(beyond, -torch.inf)
        if causal and (skipped or "diagonal_tile_unmasked" not in mistakes):
            scores = scores.masked_fill(key > last, -torch.inf)

        # tl.max passes over NaN.
        highest = scores.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
        raised = torch.maximum(top, highest.amax(-1, keepdim=True))
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
        acc = acc * keep_acc + weights.to(q.dtype).to(wide) @ v_tile
        if "divides_every_tile" in mistakes:
            acc = acc / (total if by_zero else total.masked_fill(total == 0, 1))
        top = raised

    divisor = total.masked_fill(total == 0, 1)
    if not {"divides_every_tile", "no_final_division"} & mistakes:
        acc = acc / (total if by_zero else divisor)
    guarded = any(name.endswith(":log_of_divisor") for name in mistakes)
    log = divisor.log() if guarded else total.log()
    lse = log if any(name.startswith("lse_without_max") for name in mistakes) else top + log
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


def _columns(d: int, mistakes: frozenset[str]) -> int:
    """How many columns of q and k go into a score."""
    if "head_tail_unmasked:next_power_of_2" in mistakes:
        return int(triton.next_power_of_2(d))
    if any(name.startswith("head_tail_unmasked") for name in mistakes):
        return max(16, int(triton.next_power_of_2(d)))
    return d


def _as_found(x: Tensor, mistakes: frozenset[str]) -> Tensor:
    """x with the strides by which a kernel with these mistakes walks over it."""
    if "takes_inputs_as_contiguous:last_axis" in mistakes:
        return x.as_strided(x.shape, (*x.stride()[:3], 1))
    if "takes_inputs_as_contiguous:all_axes" in mistakes:
        _, h, rows, d = x.shape
        return x.as_strided(x.shape, (h * rows * d, rows * d, d, 1))
    return x


def _read(x: Tensor, row: Tensor, col: Tensor) -> Tensor:
    """(b, h, rows, cols): these rows and columns of every head, whether they belong to x or not.

    Outside the storage, where a real kernel would read anything, there is NaN.
    """
    size = x.untyped_storage().nbytes() // x.element_size()
    memory = torch.as_strided(x, (size,), (1,), 0)
    axes = (torch.arange(x.shape[0]), torch.arange(x.shape[1]), row, col)
    place = torch.tensor(x.storage_offset())
    for index, step in zip(axes, x.stride(), strict=True):
        place = place[..., None] + index * step
    outside = (place < 0) | (place >= size)
    return memory[place.clamp(0, size - 1)].masked_fill(outside, torch.nan)


@triton.jit
def _scores_of_tile(
    q_tile,
    k,
    row,
    key,
    col,
    n,
    m,
    d,
    k_m,
    k_d,
    scale,
    CAUSAL: tl.constexpr,
):
    inside = (key[:, None] < m) & (col[None, :] < d)
    k_tile = tl.load(k + key[:, None] * k_m + col[None, :] * k_d, mask=inside, other=0.0)
    scores = tl.dot(q_tile, tl.trans(k_tile), input_precision="ieee") * scale
    visible = (key[None, :] < m) & (row[:, None] < n)
    if CAUSAL:
        visible = visible & (key[None, :] <= row[:, None] + m - n)
    return tl.where(visible, scores, -float("inf"))


@triton.jit
def _two_passes(
    q,
    k,
    v,
    o,
    lse,
    scratch,
    h,
    n,
    m,
    d,
    scale,
    q_b,
    q_h,
    q_n,
    q_d,
    k_b,
    k_h,
    k_m,
    k_d,
    v_b,
    v_h,
    v_m,
    v_d,
    CAUSAL: tl.constexpr,
    KEPT: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """First the maximum over all keys, then the sums; in between scores are kept or forgotten."""
    tile, head = tl.program_id(0), tl.program_id(1)
    row, col = tile * BLOCK_M + tl.arange(0, BLOCK_M), tl.arange(0, BLOCK_D)
    q += head // h * q_b + head % h * q_h
    k += head // h * k_b + head % h * k_h
    v += head // h * v_b + head % h * v_h
    inside = (row[:, None] < n) & (col[None, :] < d)
    q_tile = tl.load(q + row[:, None] * q_n + col[None, :] * q_d, mask=inside, other=0.0)
    stop = m
    if CAUSAL:
        stop = tl.minimum(m, (tile + 1) * BLOCK_M + m - n)
    top = tl.full((BLOCK_M,), -float("inf"), dtype=tl.float32)
    total = tl.zeros((BLOCK_M,), dtype=tl.float32)
    acc = tl.zeros((BLOCK_M, BLOCK_D), dtype=tl.float32)

    for first in range(0, stop, BLOCK_N):
        key = first + tl.arange(0, BLOCK_N)
        scores = _scores_of_tile(q_tile, k, row, key, col, n, m, d, k_m, k_d, scale, CAUSAL)
        if KEPT:
            pairs = (row[:, None] < n) & (key[None, :] < m)
            tl.store(scratch + (head * n + row[:, None]) * m + key[None, :], scores, mask=pairs)
        top = tl.maximum(top, tl.max(scores, axis=1))
    base = tl.where(top == -float("inf"), 0.0, top)
    for first in range(0, stop, BLOCK_N):
        key = first + tl.arange(0, BLOCK_N)
        if KEPT:
            pairs = (row[:, None] < n) & (key[None, :] < m)
            at = scratch + (head * n + row[:, None]) * m + key[None, :]
            scores = tl.load(at, mask=pairs, other=-float("inf"))
        else:
            scores = _scores_of_tile(q_tile, k, row, key, col, n, m, d, k_m, k_d, scale, CAUSAL)
        weights = tl.exp(scores - base[:, None])
        total += tl.sum(weights, axis=1)
        keys = (key[:, None] < m) & (col[None, :] < d)
        v_tile = tl.load(v + key[:, None] * v_m + col[None, :] * v_d, mask=keys, other=0.0)
        acc += tl.dot(weights.to(v_tile.dtype), v_tile, input_precision="ieee")

    divisor = tl.where(total == 0.0, 1.0, total)
    tl.store(o + (head * n + row[:, None]) * d + col[None, :], acc / divisor[:, None], mask=inside)
    tl.store(lse + head * n + row, top + tl.log(divisor), mask=row < n)


def _in_two_passes(
    q: Tensor, k: Tensor, v: Tensor, block_m: int, block_n: int, causal: bool, kept: bool
) -> tuple[Tensor, Tensor]:
    (b, h, n, d), m = q.shape, k.shape[2]
    o = torch.empty((b, h, n, d), dtype=q.dtype, device=q.device)
    lse = torch.empty((b, h, n), dtype=torch.float32, device=q.device)
    size = b * h * n * m if kept else 1
    scratch = torch.empty((size,), dtype=torch.float32, device=q.device)
    _two_passes[(triton.cdiv(n, block_m), b * h)](
        q,
        k,
        v,
        o,
        lse,
        scratch,
        h,
        n,
        m,
        d,
        d**-0.5,
        *q.stride(),
        *k.stride(),
        *v.stride(),
        CAUSAL=causal,
        KEPT=kept,
        BLOCK_M=block_m,
        BLOCK_N=block_n,
        BLOCK_D=max(16, triton.next_power_of_2(d)),
    )
    return o, lse
