"""A tiled product with a switch for every known mistake; with none on it is right.

What only a price gives away is a real kernel. The rest is a model in torch that reads the
memory around a and b as a faulty kernel would.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "no_accumulate": Mistake(
        "Each step along k replaces what the steps before it gave, so only the last block_k "
        "products count. Keep one accumulator outside the loop and add to it.",
        concept="matmul-tiles",
    ),
    "tail_unmasked": Mistake(
        "When block_k does not divide k, the last step also reads lanes beyond k: the next row, "
        "or whatever lies behind the matrix. Mask k in both loads, by the position in the "
        "matrix, first + lane < k, and fill with 0.",
        concept="kernel-masking",
        variants=("a", "b", "both", "lane_only"),
    ),
    "tail_dropped": Mistake(
        "When block_k does not divide k, the last, partial step is never taken: the number of "
        "steps has to be rounded up.",
        concept="kernel-masking",
    ),
    "pointer_not_advanced": Mistake(
        "Every step along k loads the same tile of a or of b again: the offset within k has to "
        "move on by block_k for both.",
        concept="matmul-tiles",
        variants=("a", "b", "both"),
    ),
    "swapped_strides": Mistake(
        "You use a row stride where the column stride belongs: element (i, j) of a matrix x lies "
        "at i * x.stride(0) + j * x.stride(1). Check it for a and for b.",
        concept="strides",
        variants=("a", "b", "both"),
    ),
    "takes_inputs_as_contiguous": Mistake(
        "You find element (i, j) as if a or b lay row after row in memory. Pass both strides to "
        "the kernel: a transposed or sliced matrix has others.",
        concept="strides",
        variants=("column_stride_1", "packed_rows"),
    ),
    "untiled": Mistake(
        "The answer is right, but what is loaded is not shared within a tile: you load rows of a "
        "or columns of b anew for every row or element of the result, so traffic grows with "
        "m*n*k however large the tiles are.",
        concept="matmul-tiles",
        cost={"moved_bytes": "~m*n*k"},
    ),
}


def solve(
    a: Tensor,
    b: Tensor,
    block_m: int,
    block_n: int,
    block_k: int,
    mistakes: frozenset[str] = frozenset(),
) -> Tensor:
    """c: (m, n)."""
    # Cost is read only where the answer is right, so next to other mistakes this one is silent.
    if mistakes == {"untiled"}:
        return _untiled(a, b, block_m, block_n, block_k)

    (m, k), n = a.shape, b.shape[1]
    wide = torch.float64 if a.dtype == torch.float64 else torch.float32
    a_strides, b_strides = _strides(a, "a", mistakes), _strides(b, "b", mistakes)
    unmasked = {name.split(":")[1] for name in mistakes if name.startswith("tail_unmasked")}
    stuck = {name.split(":")[1] for name in mistakes if name.startswith("pointer_not_advanced")}

    row, col, lane = torch.arange(m)[:, None], torch.arange(n), torch.arange(block_k)
    acc = torch.zeros((m, n), dtype=wide)
    stop = k // block_k * block_k if "tail_dropped" in mistakes else k
    for first in range(0, stop, block_k):
        inner = first + lane
        beyond = lane >= k if "lane_only" in unmasked else inner >= k
        a_inner = lane if stuck & {"a", "both"} else inner
        b_inner = lane if stuck & {"b", "both"} else inner
        a_tile = _read(a, row * a_strides[0] + a_inner * a_strides[1])
        b_tile = _read(b, b_inner[:, None] * b_strides[0] + col * b_strides[1])
        if not unmasked & {"a", "both"}:
            a_tile = a_tile.masked_fill(beyond, 0)
        if not unmasked & {"b", "both"}:
            b_tile = b_tile.masked_fill(beyond[:, None], 0)
        product = a_tile.to(wide) @ b_tile.to(wide)
        acc = product if "no_accumulate" in mistakes else acc + product
    return acc.to(a.dtype)


def _strides(x: Tensor, name: str, mistakes: frozenset[str]) -> tuple[int, int]:
    """The strides by which a kernel with these mistakes walks over x, called name."""
    row, col = x.stride()
    if "takes_inputs_as_contiguous:packed_rows" in mistakes:
        row, col = x.shape[1], 1
    elif "takes_inputs_as_contiguous:column_stride_1" in mistakes:
        col = 1
    if {f"swapped_strides:{name}", "swapped_strides:both"} & mistakes:
        return col, row
    return row, col


def _read(x: Tensor, place: Tensor) -> Tensor:
    """The elements so many steps after the first one of x, whether they belong to x or not.

    Outside the storage, where a real kernel would read anything, there is NaN.
    """
    size = x.untyped_storage().nbytes() // x.element_size()
    memory = torch.as_strided(x, (size,), (1,), 0)
    place = place + x.storage_offset()
    outside = (place < 0) | (place >= size)
    return memory[place.clamp(0, size - 1)].masked_fill(outside, torch.nan)


@triton.jit
def _lonely_products(
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
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    """A tile of c in which every element loads its own row of a and its own column of b."""
    row = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)[:, None, None]
    col = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)[None, :, None]
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for first in range(0, k, BLOCK_K):
        inner = first + tl.arange(0, BLOCK_K)[None, None, :]
        inside = (row < m) & (col < n) & (inner < k)
        left = tl.load(a + row * a_row + inner * a_col + col * 0, mask=inside, other=0.0)
        right = tl.load(b + inner * b_row + col * b_col + row * 0, mask=inside, other=0.0)
        acc += tl.sum(left.to(tl.float32) * right.to(tl.float32), axis=2)
    at = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)[:, None]
    across = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)[None, :]
    tl.store(c + at * n + across, acc, mask=(at < m) & (across < n))


def _untiled(a: Tensor, b: Tensor, block_m: int, block_n: int, block_k: int) -> Tensor:
    (m, k), n = a.shape, b.shape[1]
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    grid = (triton.cdiv(m, block_m), triton.cdiv(n, block_n))
    blocks = {"BLOCK_M": block_m, "BLOCK_N": block_n, "BLOCK_K": block_k}
    _lonely_products[grid](a, b, c, m, n, k, *a.stride(), *b.stride(), **blocks)
    return c
