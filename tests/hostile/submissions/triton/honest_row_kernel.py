"""The control: one program a row.

exercise: triton_softmax
passes
"""

import torch
import triton
import triton.language as tl


@triton.jit
def row(x, y, cols, xr, xc, yr, yc, BLOCK: tl.constexpr):
    r, lane = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    inside = lane < cols
    s = tl.load(x + r * xr + lane * xc, mask=inside, other=-float("inf")).to(tl.float32)
    e = tl.exp(s - tl.max(s, axis=0))
    tl.store(y + r * yr + lane * yc, e / tl.sum(e, axis=0), mask=inside)


def right(x):
    y = torch.empty(x.shape, dtype=x.dtype)
    rows, cols = x.shape
    row[(rows,)](x, y, cols, *x.stride(), *y.stride(), BLOCK=triton.next_power_of_2(cols))
    return y


def softmax(x):
    return right(x)
