# slip: lines 22, 23, 24
import torch
import triton
import triton.language as tl


@triton.jit
def softmax_row(x, y, cols, x_row, x_col, y_row, y_col, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    col = tl.arange(0, BLOCK)
    mask = col < cols
    s = tl.load(x + row * x_row + col * x_col, mask=mask, other=-float("inf")).to(tl.float32)
    s = s - tl.max(s, axis=0)
    e = tl.exp(s)
    p = e / tl.sum(e, axis=0)
    tl.store(y + row * y_row + col * y_col, p.to(y.dtype.element_ty), mask=mask)


def softmax(x):
    rows, cols = x.shape
    y = torch.empty(rows, cols, dtype=x.dtype, device=x.device)
    BLOCK = triton.next_power_of_2(rows)
    strides = (x.stride(1), x.stride(0), y.stride(1), y.stride(0))
    softmax_row[(cols,)](x, y, rows, *strides, BLOCK=BLOCK)
    return y
