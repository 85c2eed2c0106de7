"""A tiled matrix product in Triton: every value loaded serves a whole tile."""

import torch
import triton
import triton.language as tl


@triton.jit
def matmul_tile(
    a,
    b,
    c,
    m,
    n,
    k,
    a_row,
    a_col,
    b_row,
    b_col,
    c_row,
    c_col,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    """The program of one tile of c."""
    # Offsets can pass 2**31 elements, along any axis; ids and lanes are 32 bits wide.
    row = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
    col = tl.program_id(1).to(tl.int64) * BLOCK_N + tl.arange(0, BLOCK_N)

    # The tile of c stays here for the whole loop: c costs one write and no read. float32,
    # because a float16 sum of many products has lost its last digits.
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for first in range(0, k, BLOCK_K):
        inner = first + tl.arange(0, BLOCK_K).to(tl.int64)
        # Lanes beyond k must hold 0 on both sides: 0 times whatever lies there may be NaN.
        a_inside = (row[:, None] < m) & (inner[None, :] < k)
        b_inside = (inner[:, None] < k) & (col[None, :] < n)
        a_at = a + row[:, None] * a_row + inner[None, :] * a_col
        b_at = b + inner[:, None] * b_row + col[None, :] * b_col
        a_tile = tl.load(a_at, mask=a_inside, other=0.0)
        b_tile = tl.load(b_at, mask=b_inside, other=0.0)
        # Each value of a_tile is used BLOCK_N times, each of b_tile BLOCK_M times. "ieee" keeps
        # float32 from becoming TF32, which has 10 bits of fraction instead of 23.
        acc = tl.dot(a_tile, b_tile, acc, input_precision="ieee")

    inside = (row[:, None] < m) & (col[None, :] < n)
    tl.store(c + row[:, None] * c_row + col[None, :] * c_col, acc, mask=inside)


def matmul(
    a: torch.Tensor, b: torch.Tensor, block_m: int, block_n: int, block_k: int
) -> torch.Tensor:
    """The product of two matrices, one program a tile of the result.

    a        (m, k), any strides
    b        (k, n), any strides
    block_m, block_n   rows and columns of a tile of the result; powers of two, at least 16
    block_k            how much of k one step takes; a power of two, at least 16
    returns  (m, n), in the dtype of a

    Cost: 2*m*n*k flops whatever the tiles. a is read once for each column of tiles, n/block_n
    times, and b m/block_m times, so in float32 the kernel moves 4*m*n*k/block_n +
    4*m*n*k/block_m + 4*m*n bytes: tiles of 128 move 128 times less than no tiles.
    """
    (m, k), n = a.shape, b.shape[1]
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    grid = (triton.cdiv(m, block_m), triton.cdiv(n, block_n))
    matmul_tile[grid](
        a,
        b,
        c,
        m,
        n,
        k,
        *a.stride(),
        *b.stride(),
        *c.stride(),
        BLOCK_M=block_m,
        BLOCK_N=block_n,
        BLOCK_K=block_k,
    )
    return c
