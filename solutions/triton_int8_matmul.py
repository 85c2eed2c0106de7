"""A product of int8 matrices in Triton: exact sums in int32, scales once at the end."""

import torch
import triton
import triton.language as tl

TILE = 32
"""Rows and columns of a tile of the result, and the step along k; int8 products on a GPU need
32 along k. Larger tiles move less: on a GPU one would tune 64 to 256."""


@triton.jit
def int8_matmul_tile(
    a,
    a_scale,
    b,
    b_scale,
    c,
    m,
    n,
    k,
    a_row,
    a_col,
    a_scale_row,
    b_row,
    b_col,
    b_scale_col,
    c_row,
    c_col,
    BLOCK: tl.constexpr,
):
    """The program of one tile of c."""
    # Offsets can pass 2**31 elements, along any axis; ids and lanes are 32 bits wide.
    row = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    col = tl.program_id(1).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)

    # A product of two int8 needs 15 bits, a sum of k of them log2(k) more: int32 holds 2**17
    # terms, and unlike float32 it rounds nothing.
    acc = tl.zeros((BLOCK, BLOCK), dtype=tl.int32)
    for first in range(0, k, BLOCK):
        inner = first + tl.arange(0, BLOCK).to(tl.int64)
        a_inside = (row[:, None] < m) & (inner[None, :] < k)
        b_inside = (inner[:, None] < k) & (col[None, :] < n)
        # One byte a value is all that main memory gives: nothing is converted before here.
        a_at = a + row[:, None] * a_row + inner[None, :] * a_col
        b_at = b + inner[:, None] * b_row + col[None, :] * b_col
        a_tile = tl.load(a_at, mask=a_inside, other=0)
        b_tile = tl.load(b_at, mask=b_inside, other=0)
        acc = tl.dot(a_tile, b_tile, acc, out_dtype=tl.int32)

    # A row of a and a column of b have one scale each, so both leave the sum over k.
    rows = tl.load(a_scale + row * a_scale_row, mask=row < m, other=0.0)
    cols = tl.load(b_scale + col * b_scale_col, mask=col < n, other=0.0)
    result = acc.to(tl.float32) * rows[:, None] * cols[None, :]
    inside = (row[:, None] < m) & (col[None, :] < n)
    tl.store(c + row[:, None] * c_row + col[None, :] * c_col, result, mask=inside)


def int8_matmul(
    a_q: torch.Tensor, a_scale: torch.Tensor, b_q: torch.Tensor, b_scale: torch.Tensor
) -> torch.Tensor:
    """(a_scale[:, None] * a_q) @ (b_q * b_scale), without ever holding a float copy of either.

    a_q      (m, k) int8, any strides
    a_scale  (m,) float32, one scale a row
    b_q      (k, n) int8, any strides
    b_scale  (n,) float32, one scale a column
    returns  (m, n) float32

    Cost: with tiles of T = 32, m*n*k/T bytes of each matrix, 4*m*n/T of each vector of scales,
    and 4*m*n written: m*n*k/16 + 17/4*m*n bytes, for the matrices a quarter of what float32
    takes.
    """
    (m, k), n = a_q.shape, b_q.shape[1]
    c = torch.empty((m, n), dtype=torch.float32, device=a_q.device)
    int8_matmul_tile[(triton.cdiv(m, TILE), triton.cdiv(n, TILE))](
        a_q,
        a_scale,
        b_q,
        b_scale,
        c,
        m,
        n,
        k,
        *a_q.stride(),
        *a_scale.stride(),
        *b_q.stride(),
        *b_scale.stride(),
        *c.stride(),
        BLOCK=TILE,
    )
    return c
