"""The forward pass of FlashAttention as a Triton kernel."""

import torch
import triton
import triton.language as tl


@triton.jit
def attend(
    q,
    k,
    v,
    o,
    lse,
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
    o_b,
    o_h,
    o_n,
    o_d,
    CAUSAL: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """The program of one tile of queries of one head: it walks over all tiles of keys."""
    # Offsets can pass 2**31 elements, along any axis; ids and lanes are 32 bits wide.
    tile, head = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    row = tile * BLOCK_M + tl.arange(0, BLOCK_M)
    col = tl.arange(0, BLOCK_D).to(tl.int64)
    q += head // h * q_b + head % h * q_h
    k += head // h * k_b + head % h * k_h
    v += head // h * v_b + head % h * v_h
    o += head // h * o_b + head % h * o_h

    # Lanes beyond d hold 0 in q and in k, so they add nothing to a score.
    rows_inside = (row[:, None] < n) & (col[None, :] < d)
    q_tile = tl.load(q + row[:, None] * q_n + col[None, :] * q_d, mask=rows_inside, other=0.0)

    # What is known of a row after any number of keys: the largest score, the sum of the
    # exponentials relative to it, and the sum of the values weighted by them.
    top = tl.full((BLOCK_M,), -float("inf"), dtype=tl.float32)
    total = tl.zeros((BLOCK_M,), dtype=tl.float32)
    acc = tl.zeros((BLOCK_M, BLOCK_D), dtype=tl.float32)

    stop = m
    if CAUSAL:
        # Keys from here on are in the future of every query of the tile.
        stop = tl.minimum(m, (tile + 1) * BLOCK_M + m - n)
    for first in range(0, stop, BLOCK_N):
        key = first + tl.arange(0, BLOCK_N).to(tl.int64)
        keys_inside = (key[:, None] < m) & (col[None, :] < d)
        k_at = k + key[:, None] * k_m + col[None, :] * k_d
        v_at = v + key[:, None] * v_m + col[None, :] * v_d
        k_tile = tl.load(k_at, mask=keys_inside, other=0.0)
        # 0 here too: a weight of 0 times whatever lies behind v may be NaN.
        v_tile = tl.load(v_at, mask=keys_inside, other=0.0)

        scores = tl.dot(q_tile, tl.trans(k_tile), input_precision="ieee") * scale
        # A key that does not exist has no score, which is not the same as the score 0.
        visible = key[None, :] < m
        if CAUSAL:
            visible = visible & (key[None, :] <= row[:, None] + m - n)
        scores = tl.where(visible, scores, -float("inf"))

        raised = tl.maximum(top, tl.max(scores, axis=1))
        # A row that has seen nothing yet has the maximum -inf, and -inf - -inf is NaN. Relative
        # to any finite number all of its exponentials are 0, as they should be.
        base = tl.where(raised == -float("inf"), 0.0, raised)
        weights = tl.exp(scores - base[:, None])
        # The old sums are relative to the old, smaller maximum: they shrink.
        shrink = tl.exp(top - base)
        total = total * shrink + tl.sum(weights, axis=1)
        acc = acc * shrink[:, None]
        acc = tl.dot(weights.to(v_tile.dtype), v_tile, acc, input_precision="ieee")
        top = raised

    # One division a row. A row that saw nothing has the sum 0 and keeps its zeros.
    empty = total == 0.0
    divisor = tl.where(empty, 1.0, total)
    o_at = o + row[:, None] * o_n + col[None, :] * o_d
    tl.store(o_at, acc / divisor[:, None], mask=rows_inside)
    # lse is contiguous, (b, h, n). top of an empty row is -inf, and so is its lse.
    tl.store(lse + head * n + row, top + tl.log(divisor), mask=row < n)


def flash_attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    block_m: int,
    block_n: int,
    causal: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact attention in one kernel; scores never reach main memory.

    q        (b, h, n, d), any strides
    k, v     (b, h, m, d), any strides
    block_m  queries in a tile, one program each; a power of two, at least 16
    block_n  keys in a tile; a power of two, at least 16
    causal   hide the future: the n queries are the last n of the m positions
    returns o (b, h, n, d), in the dtype of q, and
            lse (b, h, n), float32, the logarithm of the sum of the exponentials of each row's
            scores. A query that may see no key gives o = 0 and lse = -inf.

    Cost: 4*b*h*n*m*d flops. Queries are read once, keys and values once for each tile of
    queries, so in float32 the kernel moves 8*b*h*n*m*d/block_m + 8*b*h*n*d + 4*b*h*n bytes: the
    more queries a tile holds, the fewer. block_n does not matter to main memory.
    """
    b, h, n, d = q.shape
    m = k.shape[2]
    o = torch.empty((b, h, n, d), dtype=q.dtype, device=q.device)
    lse = torch.empty((b, h, n), dtype=torch.float32, device=q.device)
    attend[(triton.cdiv(n, block_m), b * h)](
        q,
        k,
        v,
        o,
        lse,
        h,
        n,
        m,
        d,
        d**-0.5,
        *q.stride(),
        *k.stride(),
        *v.stride(),
        *o.stride(),
        CAUSAL=causal,
        BLOCK_M=block_m,
        BLOCK_N=block_n,
        # tl.dot wants 16 columns.
        BLOCK_D=max(16, triton.next_power_of_2(d)),
        # acc alone takes block_m * BLOCK_D / (32 * warps) registers of each thread, of 255.
        num_warps=8 if block_m * d > 8192 else 4,
    )
    return o, lse
