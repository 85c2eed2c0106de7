"""Paged decoding with a switch for every known mistake; with none on it is right.

What only a price gives away is a real kernel. The rest is a model in torch that reads the
memory around a page as a faulty kernel would.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "ignores_block_table": Mistake(
        "You take the number of a page within its sequence for its place in memory. The block "
        "table says where it lies: page = block_table[sequence, token // page_size].",
        concept="paged-cache",
        variants=("from_first_page", "sequence_after_sequence"),
    ),
    "table_of_first_sequence": Mistake(
        "Every sequence reads the pages of the first one: the row of the block table is missing "
        "from the address.",
        concept="paged-cache",
    ),
    "reads_past_length": Mistake(
        "You take the last page of a sequence as full. Slots behind the length hold nothing yet, "
        "or what a former owner of the page left there, NaN included; mask them in the scores and "
        "in the load of v.",
        concept="paged-cache",
        variants=("page", "values", "values_of_block"),
    ),
    "scores_unmasked": Mistake(
        "Lanes without a live token got 0 from the masked load, and you count that 0 as a score. "
        "It takes weight exp(0 - max) in the sum: set it to -inf.",
        concept="kernel-masking",
        variants=("next_power_of_2", "at_least_16"),
    ),
    "page_tail_unmasked": Mistake(
        "Your block of slots is a power of two and longer than a page, and its last lanes read "
        "the page that happens to lie behind this one. Mask slot < page_size as well as the "
        "length.",
        concept="kernel-masking",
        variants=("next_power_of_2", "at_least_16"),
    ),
    "last_page_dropped": Mistake(
        "You visit length // page_size pages, so the last, partial one is never read: the number "
        "of pages has to be rounded up.",
        concept="paged-cache",
    ),
    "wrong_group": Mistake(
        "You let head i read group i mod g. Heads of a group are neighbours: head i reads group "
        "i // (h // g).",
        concept="grouped-query",
    ),
    "no_rescale": Mistake(
        "When a page raises the maximum of a row, what was summed before still refers to the "
        "old maximum. Both the accumulator and the running sum have to be multiplied by "
        "exp(old - new); at least one of them is not.",
        concept="online-softmax",
        variants=("acc", "sum", "both"),
    ),
    "starts_max_at_zero": Mistake(
        "Your running maximum starts at 0. Where all scores lie far below 0 every exponential "
        "underflows and the row is lost; the maximum of nothing is -inf.",
        concept="online-softmax",
    ),
    "nan_on_empty_sequence": Mistake(
        "A sequence of length 0 comes out as NaN: its sum is 0, and 0 / 0 has no value. It should "
        "give zeros.",
        concept="fully-masked-row",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
    "reads_once_per_head": Mistake(
        "The answer is right, but each head loads its group's keys and values for itself: h/g "
        "times the traffic, and traffic is what decoding waits for. Let one program serve all "
        "heads of a group.",
        concept="grouped-query",
        cost={"moved_bytes": "~s*g*r*length*d"},
    ),
    "gathers_pages": Mistake(
        "The answer is right, but you first copy the pages into one piece: every step writes and "
        "reads the whole cache once more, and takes its memory again. Follow the block table "
        "inside the kernel.",
        concept="paged-cache",
        cost={"peak_bytes": "~s*g*length*d"},
    ),
}


def solve(
    q: Tensor,
    k_pages: Tensor,
    v_pages: Tensor,
    block_table: Tensor,
    lengths: Tensor,
    mistakes: frozenset[str] = frozenset(),
) -> Tensor:
    """o: (s, h, d)."""
    # Cost is read only where the answer is right, so next to other mistakes these are silent.
    if mistakes == {"gathers_pages"}:
        return _gathered(q, k_pages, v_pages, block_table, lengths)
    if mistakes == {"reads_once_per_head"}:
        return _launch(q, k_pages, v_pages, block_table, lengths, heads=1)

    (s, h, _), g = q.shape, k_pages.shape[2]
    most = block_table.shape[1]
    # (s, g, r, d)
    grouped = q.unflatten(1, (g, h // g))
    if "wrong_group" in mistakes:
        grouped = q.unflatten(1, (h // g, g)).transpose(1, 2)
    rows = []
    for sequence in range(s):
        pages = block_table[sequence].long()
        if "table_of_first_sequence" in mistakes:
            pages = block_table[0].long()
        if "ignores_block_table:from_first_page" in mistakes:
            pages = torch.arange(most)
        elif "ignores_block_table:sequence_after_sequence" in mistakes:
            pages = torch.arange(most) + sequence * most
        length = int(lengths[sequence])
        rows.append(_attend(grouped[sequence], k_pages, v_pages, pages, length, mistakes))
    o = torch.stack(rows)
    if "wrong_group" in mistakes:
        o = o.transpose(1, 2)
    return o.flatten(1, 2).to(q.dtype)


def _attend(
    q: Tensor,
    k_pages: Tensor,
    v_pages: Tensor,
    pages: Tensor,
    length: int,
    mistakes: frozenset[str],
) -> Tensor:
    """One sequence. q: (g, r, d); pages: where its pages lie."""
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    g, r, d = q.shape
    size = k_pages.shape[1]
    scale = 1.0 if "no_scale" in mistakes else d**-0.5
    start = 0.0 if "starts_max_at_zero" in mistakes else -torch.inf
    kept = {name.split(":")[1] for name in mistakes if name.startswith("no_rescale")}
    past = {name.split(":")[1] for name in mistakes if name.startswith("reads_past_length")}

    lane = torch.arange(_lanes(size, mistakes))
    acc = torch.zeros((g, r, d), dtype=wide)
    top = torch.full((g, r, 1), start, dtype=wide)
    total = torch.zeros_like(top)
    stop = length // size * size if "last_page_dropped" in mistakes else length
    for first in range(0, stop, size):
        page = int(pages[first // size])
        in_page, in_sequence = lane < size, first + lane < length
        live = in_page & in_sequence
        if any(name.startswith("page_tail_unmasked") for name in mistakes):
            live = in_sequence
        if "page" in past:
            live = in_page | live
        v_live = live
        if past & {"values", "values_of_block"}:
            v_live = in_page | live if "values" in past else torch.ones_like(live)
        counts = live
        if any(name.startswith("scores_unmasked") for name in mistakes):
            counts = torch.ones_like(live)

        # (g, lanes, d)
        k_tile = _read(k_pages, page, lane).to(wide).masked_fill(~live[:, None], 0)
        v_tile = _read(v_pages, page, lane).to(wide).masked_fill(~v_live[:, None], 0)
        scores = (q.to(wide) @ k_tile.transpose(-2, -1) * scale).masked_fill(~counts, -torch.inf)
        # tl.max passes over NaN.
        highest = scores.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
        raised = torch.maximum(top, highest.amax(-1, keepdim=True))
        weights = torch.exp(scores - raised)
        shrink = torch.exp(top - raised)
        total = total * (1.0 if kept & {"sum", "both"} else shrink)
        total = total + weights.sum(-1, keepdim=True)
        acc = acc * (1.0 if kept & {"acc", "both"} else shrink)
        acc = acc + weights.to(q.dtype).to(wide) @ v_tile
        top = raised
    divisor = total if "nan_on_empty_sequence" in mistakes else total.masked_fill(total == 0, 1)
    return acc / divisor


def _lanes(size: int, mistakes: frozenset[str]) -> int:
    """The slots that a program takes at once; more than a page only where that shows."""
    seen = {name for name in mistakes if name.endswith((":next_power_of_2", ":at_least_16"))}
    if any(name.endswith(":at_least_16") for name in seen) or (
        "reads_past_length:values_of_block" in mistakes
    ):
        return max(16, int(triton.next_power_of_2(size)))
    return int(triton.next_power_of_2(size)) if seen else size


def _read(pages: Tensor, page: int, lane: Tensor) -> Tensor:
    """(g, lanes, d): slots of a page, and what lies behind it.

    Outside the storage, where a real kernel would read anything, there is NaN.
    """
    size = pages.untyped_storage().nbytes() // pages.element_size()
    memory = torch.as_strided(pages, (size,), (1,), 0)
    page_step, slot_step, group_step, column_step = pages.stride()
    group, column = torch.arange(pages.shape[2])[:, None, None], torch.arange(pages.shape[3])
    place = group * group_step + lane[:, None] * slot_step + column * column_step
    place = place + page * page_step + pages.storage_offset()
    outside = (place < 0) | (place >= size)
    return memory[place.clamp(0, size - 1)].masked_fill(outside, torch.nan)


@triton.jit
def _decode(
    q,
    k,
    v,
    table,
    lengths,
    o,
    heads,
    r,
    d,
    page_size,
    scale,
    q_s,
    q_h,
    q_d,
    k_page,
    k_slot,
    k_g,
    k_d,
    v_page,
    v_slot,
    v_g,
    v_d,
    table_s,
    table_page,
    lengths_s,
    o_s,
    o_h,
    BLOCK_R: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """A program serves so many neighbouring heads of one group."""
    sequence, part = tl.program_id(0), tl.program_id(1)
    group = part * heads // r
    length = tl.load(lengths + sequence * lengths_s)
    member, slot, col = tl.arange(0, BLOCK_R), tl.arange(0, BLOCK_P), tl.arange(0, BLOCK_D)
    head = part * heads + member
    inside = (member[:, None] < heads) & (col[None, :] < d)
    q_at = q + sequence * q_s + head[:, None] * q_h + col[None, :] * q_d
    q_tile = tl.load(q_at, mask=inside, other=0.0)
    top = tl.full((BLOCK_R,), -float("inf"), dtype=tl.float32)
    total = tl.zeros((BLOCK_R,), dtype=tl.float32)
    acc = tl.zeros((BLOCK_R, BLOCK_D), dtype=tl.float32)
    for first in range(0, length, page_size):
        page = tl.load(table + sequence * table_s + first // page_size * table_page)
        live = (slot < page_size) & (first + slot < length)
        loads = live[:, None] & (col[None, :] < d)
        k_at = k + page * k_page + group * k_g + slot[:, None] * k_slot + col[None, :] * k_d
        v_at = v + page * v_page + group * v_g + slot[:, None] * v_slot + col[None, :] * v_d
        k_tile = tl.load(k_at, mask=loads, other=0.0)
        v_tile = tl.load(v_at, mask=loads, other=0.0)
        scores = tl.dot(q_tile, tl.trans(k_tile), input_precision="ieee") * scale
        scores = tl.where(live[None, :], scores, -float("inf"))
        raised = tl.maximum(top, tl.max(scores, axis=1))
        weights = tl.exp(scores - raised[:, None])
        shrink = tl.exp(top - raised)
        total = total * shrink + tl.sum(weights, axis=1)
        acc = acc * shrink[:, None]
        acc += tl.dot(weights.to(v_tile.dtype), v_tile, input_precision="ieee")
        top = raised
    divisor = tl.where(total == 0.0, 1.0, total)
    o_at = o + sequence * o_s + head[:, None] * o_h + col[None, :]
    tl.store(o_at, acc / divisor[:, None], mask=inside)


def _launch(
    q: Tensor, k_pages: Tensor, v_pages: Tensor, block_table: Tensor, lengths: Tensor, heads: int
) -> Tensor:
    (s, h, d), (_, page_size, g, _) = q.shape, k_pages.shape
    o = torch.empty((s, h, d), dtype=q.dtype, device=q.device)
    _decode[(s, h // heads)](
        q,
        k_pages,
        v_pages,
        block_table,
        lengths,
        o,
        heads,
        h // g,
        d,
        page_size,
        d**-0.5,
        *q.stride(),
        *k_pages.stride(),
        *v_pages.stride(),
        *block_table.stride(),
        *lengths.stride(),
        h * d,
        d,
        BLOCK_R=max(16, triton.next_power_of_2(heads)),
        BLOCK_P=max(16, triton.next_power_of_2(page_size)),
        BLOCK_D=max(16, triton.next_power_of_2(d)),
    )
    return o


def _gathered(
    q: Tensor, k_pages: Tensor, v_pages: Tensor, block_table: Tensor, lengths: Tensor
) -> Tensor:
    """Pages copied into the order of the sequences, where the table is 0, 1, 2 and so on."""
    order = block_table.long().flatten()
    k, v = k_pages[order], v_pages[order]
    table = torch.arange(len(order), dtype=torch.int32).view(block_table.shape)
    return _launch(q, k, v, table, lengths, heads=q.shape[1] // k.shape[2])
