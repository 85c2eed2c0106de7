"""The backward pass of FlashAttention as three Triton kernels."""

import torch
import triton
import triton.language as tl


@triton.jit
def rows_of(x, strides, batch, head, row, col):
    """(BLOCK, BLOCK_D) pointers into one head of x (b, h, rows, d); row is a column, col a row."""
    x += batch * strides[0] + head * strides[1]
    return x + row * strides[2] + col * strides[3]


@triton.jit
def load_tile(at, inside):
    """Rows that do not exist, and spare columns, are zeros."""
    return tl.load(at, mask=inside, other=0.0)


@triton.jit
def dot(a, b):
    """Products in float32: a GPU would take TF32 for them unless asked not to."""
    return tl.dot(a, b, input_precision="ieee")


@triton.jit
def sum_rows(
    o,
    grad_o,
    delta,
    o_strides,
    grad_strides,
    h,
    n,
    d,
    BLOCK: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """delta = sum(o * grad_o) of every row, which is sum(p * dp) without visiting a key."""
    # Offsets can pass 2**31 elements, along any axis; ids and lanes are 32 bits wide.
    bh, i = tl.program_id(1).to(tl.int64), tl.program_id(0).to(tl.int64) * BLOCK
    batch, head = bh // h, bh % h
    row, cols = i + tl.arange(0, BLOCK), tl.arange(0, BLOCK_D).to(tl.int64)[None, :]
    rows = row[:, None]
    inside = (rows < n) & (cols < d)
    o_at = rows_of(o, o_strides, batch, head, rows, cols)
    grad_at = rows_of(grad_o, grad_strides, batch, head, rows, cols)
    products = load_tile(o_at, inside).to(tl.float32) * load_tile(grad_at, inside)
    tl.store(delta + bh * n + row, tl.sum(products, axis=1), mask=row < n)


@triton.jit
def tile_gradients(q, k, v, grad, lse, delta, row, key, n, m, scale, CAUSAL: tl.constexpr):
    """p and ds, (queries, keys): the weights of one tile and the gradients of its scores.

    Tiles: q, k, v, grad. One number a query: lse, delta, row. One a key: key.
    """
    # A row that sees nothing has lse = -inf, and -inf - -inf is NaN: it has no weights at all.
    # Neither has a row that does not exist.
    visible = (lse[:, None] > -float("inf")) & (key[None, :] < m)
    if CAUSAL:
        visible = visible & (key[None, :] <= row[:, None] + m - n)
    # lse holds the maximum and the sum of the forward pass, so there is no second softmax.
    scores = dot(q, tl.trans(k)) * scale
    p = tl.exp(tl.where(visible, scores - lse[:, None], -float("inf")))
    dp = dot(grad, tl.trans(v))
    return p, p * (dp - delta[:, None])


@triton.jit
def grad_keys(
    q,
    k,
    v,
    grad_o,
    lse,
    delta,
    dk,
    dv,
    q_strides,
    k_strides,
    v_strides,
    grad_strides,
    lse_strides,
    h,
    n,
    m,
    d,
    scale,
    CAUSAL: tl.constexpr,
    BLOCK: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """dk and dv of one tile of keys: it collects from all queries."""
    bh, j = tl.program_id(1).to(tl.int64), tl.program_id(0).to(tl.int64) * BLOCK
    batch, head = bh // h, bh % h
    lane = tl.arange(0, BLOCK).to(tl.int64)
    cols = tl.arange(0, BLOCK_D).to(tl.int64)[None, :]
    lanes, in_d, key = lane[:, None], cols < d, j + lane
    keys = j + lanes
    k_at = rows_of(k, k_strides, batch, head, keys, cols)
    v_at = rows_of(v, v_strides, batch, head, keys, cols)
    lse += batch * lse_strides[0] + head * lse_strides[1]

    keys_inside = (keys < m) & in_d
    k_tile = load_tile(k_at, keys_inside)
    v_tile = load_tile(v_at, keys_inside)
    dk_tile = tl.full((BLOCK, BLOCK_D), 0.0, dtype=tl.float32)
    dv_tile = tl.full((BLOCK, BLOCK_D), 0.0, dtype=tl.float32)
    start = 0
    if CAUSAL:
        # Queries before j + n - m see none of these keys.
        start = tl.maximum(0, j + n - m) // BLOCK * BLOCK
    for i in range(start, n, BLOCK):
        row, rows = i + lane, i + lanes
        rows_inside = (rows < n) & in_d
        q_tile = load_tile(rows_of(q, q_strides, batch, head, rows, cols), rows_inside)
        grad = load_tile(rows_of(grad_o, grad_strides, batch, head, rows, cols), rows_inside)
        row_lse = tl.load(lse + row * lse_strides[2], mask=row < n, other=-float("inf"))
        row_delta = tl.load(delta + bh * n + row, mask=row < n, other=0.0)
        p, ds = tile_gradients(
            q_tile, k_tile, v_tile, grad, row_lse, row_delta, row, key, n, m, scale, CAUSAL
        )
        # In half precision the tensor cores take both factors so, and sum in float32.
        dv_tile += dot(tl.trans(p).to(grad.dtype), grad)
        dk_tile += dot(tl.trans(ds).to(q_tile.dtype), q_tile)

    # dk and dv are contiguous. s = scale * q k^T: the gradient of a score reaches q and k times
    # scale, once at the end.
    at = (bh * m + keys) * d + cols
    tl.store(dk + at, dk_tile * scale, mask=keys_inside)
    tl.store(dv + at, dv_tile, mask=keys_inside)


@triton.jit
def grad_queries(
    q,
    k,
    v,
    grad_o,
    lse,
    delta,
    dq,
    q_strides,
    k_strides,
    v_strides,
    grad_strides,
    lse_strides,
    h,
    n,
    m,
    d,
    scale,
    CAUSAL: tl.constexpr,
    BLOCK: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """dq of one tile of queries: it collects from all keys."""
    bh, i = tl.program_id(1).to(tl.int64), tl.program_id(0).to(tl.int64) * BLOCK
    batch, head = bh // h, bh % h
    lane = tl.arange(0, BLOCK).to(tl.int64)
    cols = tl.arange(0, BLOCK_D).to(tl.int64)[None, :]
    lanes, in_d, row = lane[:, None], cols < d, i + lane
    rows = i + lanes
    q_at = rows_of(q, q_strides, batch, head, rows, cols)
    grad_at = rows_of(grad_o, grad_strides, batch, head, rows, cols)
    lse_at = lse + batch * lse_strides[0] + head * lse_strides[1] + row * lse_strides[2]

    rows_inside = (rows < n) & in_d
    q_tile = load_tile(q_at, rows_inside)
    grad = load_tile(grad_at, rows_inside)
    row_lse = tl.load(lse_at, mask=row < n, other=-float("inf"))
    row_delta = tl.load(delta + bh * n + row, mask=row < n, other=0.0)
    dq_tile = tl.full((BLOCK, BLOCK_D), 0.0, dtype=tl.float32)
    stop = m
    if CAUSAL:
        # Keys from here on are in the future of every query of the tile.
        stop = tl.minimum(m, i + BLOCK + m - n)
    for j in range(0, stop, BLOCK):
        key, keys = j + lane, j + lanes
        keys_inside = (keys < m) & in_d
        k_tile = load_tile(rows_of(k, k_strides, batch, head, keys, cols), keys_inside)
        v_tile = load_tile(rows_of(v, v_strides, batch, head, keys, cols), keys_inside)
        _p, ds = tile_gradients(
            q_tile, k_tile, v_tile, grad, row_lse, row_delta, row, key, n, m, scale, CAUSAL
        )
        dq_tile += dot(ds.to(k_tile.dtype), k_tile)
    tl.store(dq + (bh * n + rows) * d + cols, dq_tile * scale, mask=rows_inside)


def flash_attention_backward(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    o: torch.Tensor,
    lse: torch.Tensor,
    grad_o: torch.Tensor,
    block: int,
    causal: bool = False,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of exact attention; weights never reach main memory.

    q, o, grad_o  (b, h, n, d), any strides; o is the result of the forward pass
    k, v          (b, h, m, d), any strides
    lse           (b, h, n), from the forward pass; -inf for a query that sees no key
    block         queries and keys in a tile; a power of two, at least 16
    causal        hide the future: the n queries are the last n of the m positions
    returns dq (b, h, n, d), dk and dv (b, h, m, d)

    Cost: each pair of tiles is built twice, once for its keys and once for its queries, which
    costs seven products where five would do, but then no two programs write to the same place
    and nothing has to be added atomically. In float32, bytes moved are b*h times
    16*n*m*d/block (q and grad_o for every tile of keys, k and v for every tile of queries)
    + 8*n*m/block (lse and delta) + 20*n*d + 16*m*d + 12*n. Working memory: delta, 4*b*h*n.
    """
    b, h, n, d = q.shape
    m = k.shape[2]
    # Contiguous, whatever the strides of the inputs are.
    dq, dk, dv = q.new_empty((b, h, n, d)), k.new_empty((b, h, m, d)), v.new_empty((b, h, m, d))
    delta = lse.new_empty((b, h, n))
    # tl.dot wants 16 columns; spare lanes are masked. Five tiles at once fill the registers of 4
    # warps soon.
    blocks = {"BLOCK": block, "BLOCK_D": max(16, triton.next_power_of_2(d)), "num_warps": 8}
    query_grid, key_grid = (triton.cdiv(n, block), b * h), (triton.cdiv(m, block), b * h)

    sum_rows[query_grid](o, grad_o, delta, o.stride(), grad_o.stride(), h, n, d, **blocks)
    inputs = (q, k, v, grad_o, lse, delta)
    strides = (q.stride(), k.stride(), v.stride(), grad_o.stride(), lse.stride())
    sizes = (h, n, m, d, d**-0.5)
    grad_keys[key_grid](*inputs, dk, dv, *strides, *sizes, CAUSAL=causal, **blocks)
    grad_queries[query_grid](*inputs, dq, *strides, *sizes, CAUSAL=causal, **blocks)
    return dq, dk, dv
