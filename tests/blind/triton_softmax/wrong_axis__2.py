# slip: lines 9, 22
import torch
import triton
import triton.language as tl


@triton.jit
def softmax_row(x, y, rows, cols, sr, sc, BLOCK: tl.constexpr):
    c = tl.program_id(0)
    r = tl.arange(0, BLOCK)
    mask = r < rows
    a = tl.load(x + r * sr + c * sc, mask=mask, other=float("-inf")).to(tl.float32)
    a = tl.exp(a - tl.max(a, 0))
    a = a / tl.sum(a, 0)
    tl.store(y + r * cols + c, a.to(y.dtype.element_ty), mask=mask)


def softmax(x):
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype, device=x.device)
    block = triton.next_power_of_2(rows)
    softmax_row[(cols,)](x, y, rows, cols, x.stride(0), x.stride(1), BLOCK=block)
    return y
