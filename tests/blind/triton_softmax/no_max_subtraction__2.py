# slip: line 22
import torch
import triton
import triton.language as tl


def _block(cols):
    size = 1
    while size < cols:
        size *= 2
    return size


@triton.jit
def softmax_row(x_ptr, y_ptr, x_stride0, x_stride1, COLS: tl.constexpr, BLOCK: tl.constexpr):
    r = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x_ptrs = x_ptr + r * x_stride0 + c * x_stride1
    y_ptrs = y_ptr + r * COLS + c
    v = tl.load(x_ptrs, mask=c < COLS, other=float("-inf"))
    v = v.to(tl.float32)
    lse = tl.log(tl.sum(tl.exp(v), 0))
    tl.store(y_ptrs, tl.exp(v - lse).to(y_ptr.dtype.element_ty), mask=c < COLS)


def softmax(x):
    rows, cols = x.shape
    y = x.new_empty((rows, cols))
    softmax_row[(rows, 1, 1)](x, y, x.stride(0), x.stride(1), COLS=cols, BLOCK=_block(cols))
    return y
