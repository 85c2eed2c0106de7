"""One decode step over a paged KV cache, as a Triton kernel."""

import torch
import triton
import triton.language as tl


@triton.jit
def decode(
    q,
    k,
    v,
    table,
    lengths,
    o,
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
    o_d,
    BLOCK_R: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """The program of one sequence and one group: r query heads that share keys and values."""
    # Offsets can pass 2**31 elements, along any axis; ids, lanes and the table are 32 bits wide.
    sequence, group = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    length = tl.load(lengths + sequence * lengths_s)
    member, slot = tl.arange(0, BLOCK_R).to(tl.int64), tl.arange(0, BLOCK_P).to(tl.int64)
    col = tl.arange(0, BLOCK_D).to(tl.int64)

    # All heads of the group at once: what is loaded below serves each of them.
    head = group * r + member
    heads_inside = (member[:, None] < r) & (col[None, :] < d)
    q_at = q + sequence * q_s + head[:, None] * q_h + col[None, :] * q_d
    q_tile = tl.load(q_at, mask=heads_inside, other=0.0)

    top = tl.full((BLOCK_R,), -float("inf"), dtype=tl.float32)
    total = tl.zeros((BLOCK_R,), dtype=tl.float32)
    acc = tl.zeros((BLOCK_R, BLOCK_D), dtype=tl.float32)
    entry = table + sequence * table_s
    for first in range(0, length, page_size):
        # Where the tokens from first on lie: pages of one sequence are scattered.
        page = tl.load(entry).to(tl.int64)
        entry += table_page
        # A block may be longer than a page, and a page longer than what is left. Other slots
        # belong to nobody or to somebody else and may hold NaN, in v as well.
        live = (slot < page_size) & (first + slot < length)
        inside = live[:, None] & (col[None, :] < d)
        k_at = k + page * k_page + group * k_g + slot[:, None] * k_slot + col[None, :] * k_d
        v_at = v + page * v_page + group * v_g + slot[:, None] * v_slot + col[None, :] * v_d
        k_tile = tl.load(k_at, mask=inside, other=0.0)
        v_tile = tl.load(v_at, mask=inside, other=0.0)

        # A few heads do not fill a tile of 16 rows, but arithmetic waits for memory anyway, and
        # sums over a product of three axes would not fit into registers.
        scores = tl.dot(q_tile, tl.trans(k_tile), input_precision="ieee") * scale
        scores = tl.where(live[None, :], scores, -float("inf"))
        # A page that is visited has a live slot, so from here on the maximum is finite.
        raised = tl.maximum(top, tl.max(scores, axis=1))
        weights = tl.exp(scores - raised[:, None])
        shrink = tl.exp(top - raised)
        total = total * shrink + tl.sum(weights, axis=1)
        acc = acc * shrink[:, None]
        acc = tl.dot(weights.to(v_tile.dtype), v_tile, acc, input_precision="ieee")
        top = raised

    # An empty sequence has the sum 0 and keeps its zeros.
    divisor = tl.where(total == 0.0, 1.0, total)
    o_at = o + sequence * o_s + head[:, None] * o_h + col[None, :] * o_d
    tl.store(o_at, acc / divisor[:, None], mask=heads_inside)


def paged_decode(
    q: torch.Tensor,
    k_pages: torch.Tensor,
    v_pages: torch.Tensor,
    block_table: torch.Tensor,
    lengths: torch.Tensor,
) -> torch.Tensor:
    """Attention of one new token a sequence over keys and values that lie in pages.

    q            (s, h, d)                  one query a sequence and head, any strides
    k_pages      (pages, page_size, g, d)   g divides h; head i reads group i // (h // g)
    v_pages      (pages, page_size, g, d)
    block_table  (s, max_pages)             int32: token t of a sequence lies in its page number
                                            t // page_size, in slot t % page_size
    lengths      (s,)                       int32: live tokens of each sequence, 0 or more
    returns      (s, h, d), in the dtype of q; zeros for a sequence of length 0

    Cost: every live key and value is read once for a group, not once for a head. In float32,
    with equal lengths, 8*s*g*length*d bytes for keys and values, 8*s*h*d for queries and
    results, and 4*s*g*(length/page_size + 1) for the table and the lengths. That is about h/g
    flops for every 2 bytes: decoding is bound by memory.
    """
    s, h, d = q.shape
    _, page_size, g, _ = k_pages.shape
    r = h // g
    o = torch.empty((s, h, d), dtype=q.dtype, device=q.device)
    decode[(s, g)](
        q,
        k_pages,
        v_pages,
        block_table,
        lengths,
        o,
        r,
        d,
        page_size,
        d**-0.5,
        *q.stride(),
        *k_pages.stride(),
        *v_pages.stride(),
        *block_table.stride(),
        *lengths.stride(),
        *o.stride(),
        # tl.dot wants 16 along each axis; spare lanes are masked.
        BLOCK_R=max(16, triton.next_power_of_2(r)),
        BLOCK_P=max(16, triton.next_power_of_2(page_size)),
        BLOCK_D=max(16, triton.next_power_of_2(d)),
    )
    return o
