# slip: line 22
import torch
import triton
import triton.language as tl


@triton.jit
def softmax_row(x, y, cols, s0, s1, BLOCK: tl.constexpr, STEP: tl.constexpr):
    row = tl.program_id(0)
    # first pass: maximum and sum, a piece at a time
    m = -float("inf")
    total = 0.0
    for start in range(0, BLOCK, STEP):
        j = start + tl.arange(0, STEP)
        t = tl.load(x + row * s0 + j * s1, mask=j < cols, other=-float("inf")).to(tl.float32)
        new = tl.maximum(m, tl.max(t, axis=0))
        total = total * tl.exp(m - new) + tl.sum(tl.exp(t - new), axis=0)
        m = new
    # second pass: the result
    for start in range(0, BLOCK, STEP):
        j = start + tl.arange(0, STEP)
        t = tl.load(x + row * s0 + j * s1, mask=j < cols, other=-float("inf")).to(tl.float32)
        p = tl.exp(t - m) / total
        tl.store(y + row * cols + j, p.to(y.dtype.element_ty), mask=j < cols)


def softmax(x):
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype, device=x.device)
    block = triton.next_power_of_2(cols)
    softmax_row[(rows,)](x, y, cols, *x.stride(), BLOCK=block, STEP=min(block, 8))
    return y
