"""A row softmax with a switch for every known mistake; with none on it is right.

What only a price gives away is a real kernel. The rest is a model in torch that reads the
memory around x as a faulty kernel would.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "no_mask_value": Mistake(
        "The lanes beyond the row count as scores of 0: your load has a mask but not "
        "other=-inf, and exp(0 - max) of every spare lane goes into the sum.",
        concept="kernel-masking",
        variants=("next_power_of_2", "at_least_16"),
    ),
    "tail_unmasked": Mistake(
        "Your load has no mask: a block is longer than a row, so it also reads what lies "
        "behind the row in memory.",
        concept="kernel-masking",
        variants=("next_power_of_2", "at_least_16"),
    ),
    "takes_x_as_contiguous": Mistake(
        "You find element (i, j) as if x lay row after row in memory. Use both strides, "
        "i * x.stride(0) + j * x.stride(1): a transposed or sliced x has others.",
        concept="strides",
        variants=("column_stride_1", "row_stride_cols"),
    ),
    "no_max_subtraction": Mistake(
        "You take exp of x as it is. In float32 it overflows above 88, and inf / inf is NaN. "
        "Subtract the maximum of the row first.",
        concept="softmax-stability",
    ),
    "wrong_axis": Mistake(
        "Your softmax runs down the columns: it is the rows that have to add up to 1.",
        concept="softmax-axis",
    ),
    "reads_twice": Mistake(
        "The answer is right, but each element is loaded twice: once for the maximum, once "
        "for the exponentials. A row that fits into a block stays in registers after one load.",
        concept="memory-traffic",
        cost={"moved_bytes": "12*rows*cols"},
    ),
    "reads_three_times": Mistake(
        "The answer is right, but each element is loaded three times: for the maximum, for "
        "the sum and for the result. A row that fits into a block stays in registers after "
        "one load.",
        concept="memory-traffic",
        cost={"moved_bytes": "16*rows*cols"},
    ),
}


def solve(x: Tensor, mistakes: frozenset[str] = frozenset()) -> Tensor:
    """y: (rows, cols)."""
    # Cost is read only where the answer is right, so next to other mistakes these are silent.
    if mistakes and mistakes <= {"reads_twice", "reads_three_times"}:
        return _reads_again(x, loads=3 if "reads_three_times" in mistakes else 2)

    lanes = _lanes(x, mistakes).float() if x.dtype != torch.float64 else _lanes(x, mistakes)
    axis = 0 if "wrong_axis" in mistakes else 1
    # tl.max passes over NaN, so only the sum carries one on.
    top = lanes.nan_to_num(nan=-torch.inf).amax(dim=axis, keepdim=True)
    if "no_max_subtraction" in mistakes:
        top = torch.zeros_like(top)
    exponentials = torch.exp(lanes - top)
    y = exponentials / exponentials.sum(dim=axis, keepdim=True)
    return y[:, : x.shape[1]].to(x.dtype)


def _lanes(x: Tensor, mistakes: frozenset[str]) -> Tensor:
    """(rows, block): what each lane of each row's program holds after the load."""
    rows, cols = x.shape
    block = triton.next_power_of_2(cols)
    if {"no_mask_value:at_least_16", "tail_unmasked:at_least_16"} & mistakes:
        block = max(block, 16)
    row_stride, col_stride = x.stride()
    if "takes_x_as_contiguous:row_stride_cols" in mistakes:
        row_stride, col_stride = cols, 1
    elif "takes_x_as_contiguous:column_stride_1" in mistakes:
        col_stride = 1

    lane = torch.arange(block)
    place = torch.arange(rows)[:, None] * row_stride + lane * col_stride
    lanes = _read(x, place)
    if any(name.startswith("tail_unmasked") for name in mistakes):
        return lanes
    spare = 0.0 if any(name.startswith("no_mask_value") for name in mistakes) else -torch.inf
    return lanes.masked_fill(lane >= cols, spare)


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
def _softmax_row(
    x,
    y,
    cols,
    x_row,
    x_col,
    y_row,
    LOADS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """One row a program, loaded anew for the exponentials and, with LOADS = 3, for the result."""
    row = tl.program_id(0)
    lane = tl.arange(0, BLOCK)
    inside = lane < cols
    source = x + row * x_row + lane * x_col
    top = tl.max(tl.load(source, mask=inside, other=-float("inf")).to(tl.float32), axis=0)
    exponentials = tl.exp(tl.load(source, mask=inside, other=-float("inf")).to(tl.float32) - top)
    total = tl.sum(exponentials, axis=0)
    if LOADS == 3:
        again = tl.load(source, mask=inside, other=-float("inf"))
        exponentials = tl.exp(again.to(tl.float32) - top)
    tl.store(y + row * y_row + lane, exponentials / total, mask=inside)


def _reads_again(x: Tensor, loads: int) -> Tensor:
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype, device=x.device)
    block = triton.next_power_of_2(cols)
    _softmax_row[(rows,)](x, y, cols, *x.stride(), y.stride(0), LOADS=loads, BLOCK=block)
    return y
