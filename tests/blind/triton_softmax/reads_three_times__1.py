# slip: lines 24, 26
import torch
import triton
import triton.language as tl


@triton.jit
def softmax_row(
    x,
    y,
    n_cols,
    stride_row,
    stride_col,
    BLOCK: tl.constexpr,
):
    """One program a row; the result is contiguous."""
    pid = tl.program_id(axis=0)
    offsets = tl.arange(0, BLOCK)
    inside = offsets < n_cols
    start = x + pid.to(tl.int64) * stride_row
    where = start + offsets * stride_col
    scores = tl.load(where, mask=inside, other=float("-inf")).to(tl.float32)
    largest = tl.max(scores, axis=0)
    scores = tl.load(where, mask=inside, other=float("-inf")).to(tl.float32)
    denominator = tl.sum(tl.exp(scores - largest), axis=0)
    scores = tl.load(where, mask=inside, other=float("-inf")).to(tl.float32)
    numerator = tl.exp(scores - largest)
    tl.store(y + pid * n_cols + offsets, numerator / denominator, mask=inside)


def softmax(x: torch.Tensor) -> torch.Tensor:
    n_rows, n_cols = x.shape
    out = torch.empty((n_rows, n_cols), dtype=x.dtype, device=x.device)
    grid = (n_rows,)
    softmax_row[grid](
        x, out, n_cols, x.stride(0), x.stride(1), BLOCK=triton.next_power_of_2(n_cols)
    )
    return out
