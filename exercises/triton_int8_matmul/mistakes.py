"""A product of int8 matrices with a switch for every known mistake; with none on it is right.

What only a price gives away is a real kernel. The rest is a model in torch that reads the
memory around the inputs as a faulty kernel would.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "accumulates_in_int8": Mistake(
        "Your sum over k is kept in a type that is too narrow, and wraps around: one product of "
        "two int8 already needs 15 bits. Accumulate in int32.",
        concept="accumulation",
        variants=("int8", "int16"),
    ),
    "scales_squared": Mistake(
        "A scale is applied twice: once to the values and again to the sum. Each leaves the sum "
        "over k once.",
        concept="quantized-matmul",
        variants=("a", "b", "both"),
    ),
    "scale_missing": Mistake(
        "A scale is not applied: row i of the result carries a_scale[i], column j b_scale[j].",
        concept="quantized-matmul",
        variants=("a", "b", "both"),
    ),
    "swapped_scales": Mistake(
        "You scale rows by b_scale and columns by a_scale. a_scale belongs to the rows of a, "
        "which are the rows of the result.",
        concept="quantized-matmul",
    ),
    "one_scale_for_all": Mistake(
        "The first scale serves for all rows or for all columns. There is one for each row of a "
        "and one for each column of b.",
        concept="quantized-matmul",
        variants=("a", "b", "both"),
    ),
    "tail_unmasked": Mistake(
        "When your step does not divide k, its last lanes read what lies behind the rows of a "
        "and b, and the products go into the sum. Mask k in both loads and fill with 0.",
        concept="kernel-masking",
        variants=("step_16", "step_32", "step_64", "step_128"),
    ),
    "tail_dropped": Mistake(
        "When your step does not divide k, the last, partial step is never taken: the number of "
        "steps has to be rounded up.",
        concept="kernel-masking",
        variants=("step_16", "step_32", "step_64"),
    ),
    "no_accumulate": Mistake(
        "Each step along k replaces what the steps before it gave, so only the last one counts. "
        "Keep one accumulator outside the loop and add to it.",
        concept="matmul-tiles",
        variants=("step_16", "step_32"),
    ),
    "swapped_strides": Mistake(
        "You use a row stride where the column stride belongs: element (i, j) of a matrix x lies "
        "at i * x.stride(0) + j * x.stride(1). Check it for a_q and for b_q.",
        concept="strides",
        variants=("a", "b", "both"),
    ),
    "takes_inputs_as_contiguous": Mistake(
        "You find element (i, j) as if a_q or b_q lay row after row in memory. Pass both strides "
        "to the kernel: a transposed or sliced matrix has others.",
        concept="strides",
        variants=("column_stride_1", "packed_rows"),
    ),
    "dequantises_first": Mistake(
        "The answer is right, but you make float copies of a and b before you multiply: four "
        "bytes a value are written and read again where one was enough. Multiply the int8 values "
        "and scale the sums.",
        concept="quantized-matmul",
        cost={"peak_bytes": "~m*k + n*k"},
    ),
}


def solve(
    a_q: Tensor,
    a_scale: Tensor,
    b_q: Tensor,
    b_scale: Tensor,
    mistakes: frozenset[str] = frozenset(),
) -> Tensor:
    """c: (m, n)."""
    # Cost is read only where the answer is right, so next to other mistakes this one is silent.
    if mistakes == {"dequantises_first"}:
        return _dequantised(a_q, a_scale, b_q, b_scale)

    (m, k), n = a_q.shape, b_q.shape[1]
    lanes = _lanes(k, mistakes)
    row, col = torch.arange(m), torch.arange(n)
    a_row, a_col = _strides(a_q, "a", mistakes)
    b_row, b_col = _strides(b_q, "b", mistakes)
    a = _read(a_q, row[:, None] * a_row + lanes * a_col)
    b = _read(b_q, lanes[:, None] * b_row + col * b_col)
    # float64 holds these sums exactly.
    exact = (a.double() @ b.double()).to(torch.int64)
    if "accumulates_in_int8:int8" in mistakes:
        exact = exact.to(torch.int8)
    elif "accumulates_in_int8:int16" in mistakes:
        exact = exact.to(torch.int16)

    rows, cols = _scales(a_scale, b_scale, m, n, mistakes)
    return exact.to(a_scale.dtype) * rows[:, None] * cols


def _lanes(k: int, mistakes: frozenset[str]) -> Tensor:
    """The positions along k that go into the sum."""
    for name in sorted(mistakes):
        kind, _, variant = name.partition(":step_")
        if not variant:
            continue
        step = int(variant)
        if kind == "tail_dropped":
            k = k // step * step
        elif kind == "no_accumulate" and k:
            first = (k - 1) // step * step
            if f"tail_unmasked:step_{step}" in mistakes:
                return torch.arange(first, first + step)
            return torch.arange(first, k)
        elif kind == "tail_unmasked":
            k = -(-k // step) * step
    return torch.arange(k)


def _scales(
    a_scale: Tensor, b_scale: Tensor, m: int, n: int, mistakes: frozenset[str]
) -> tuple[Tensor, Tensor]:
    """What the rows (m,) and the columns (n,) are multiplied by."""
    row, col = torch.arange(m), torch.arange(n)
    flat = {name.split(":")[1] for name in mistakes if name.startswith("one_scale_for_all")}
    row = row * 0 if flat & {"a", "both"} else row
    col = col * 0 if flat & {"b", "both"} else col
    if "swapped_scales" in mistakes:
        a_scale, b_scale = b_scale, a_scale
    rows, cols = _read(a_scale, row * a_scale.stride(0)), _read(b_scale, col * b_scale.stride(0))
    squared = {name.split(":")[1] for name in mistakes if name.startswith("scales_squared")}
    missing = {name.split(":")[1] for name in mistakes if name.startswith("scale_missing")}
    # A scale that is missing cannot be squared as well.
    a_power, b_power = (
        0 if missing & {side, "both"} else 1 + bool(squared & {side, "both"}) for side in "ab"
    )
    return rows**a_power, cols**b_power


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

    Outside the storage, where a real kernel would read anything, there is NaN or 0.
    """
    size = x.untyped_storage().nbytes() // x.element_size()
    memory = torch.as_strided(x, (size,), (1,), 0)
    place = place + x.storage_offset()
    outside = (place < 0) | (place >= size)
    nothing = torch.nan if x.is_floating_point() else 0
    return memory[place.clamp(0, size - 1)].masked_fill(outside, nothing)


@triton.jit
def _float_matmul_tile(a, b, c, m, n, k, BLOCK: tl.constexpr):
    row = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    col = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK, BLOCK), dtype=tl.float32)
    for first in range(0, k, BLOCK):
        inner = first + tl.arange(0, BLOCK)
        a_inside = (row[:, None] < m) & (inner[None, :] < k)
        b_inside = (inner[:, None] < k) & (col[None, :] < n)
        a_tile = tl.load(a + row[:, None] * k + inner[None, :], mask=a_inside, other=0.0)
        b_tile = tl.load(b + inner[:, None] * n + col[None, :], mask=b_inside, other=0.0)
        acc = tl.dot(a_tile, b_tile, acc, input_precision="ieee")
    inside = (row[:, None] < m) & (col[None, :] < n)
    tl.store(c + row[:, None] * n + col[None, :], acc, mask=inside)


def _dequantised(a_q: Tensor, a_scale: Tensor, b_q: Tensor, b_scale: Tensor) -> Tensor:
    (m, k), n = a_q.shape, b_q.shape[1]
    a = (a_q.float() * a_scale[:, None]).contiguous()
    b = (b_q.float() * b_scale).contiguous()
    c = torch.empty((m, n), dtype=torch.float32, device=a.device)
    _float_matmul_tile[(triton.cdiv(m, 32), triton.cdiv(n, 32))](a, b, c, m, n, k, BLOCK=32)
    return c
