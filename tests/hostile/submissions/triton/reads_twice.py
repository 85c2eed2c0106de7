"""Reads the row once for the maximum and once more: right, and half as much traffic again.

exercise: triton_softmax
stage: cost
says: moved_bytes
"""

import torch
import triton
import triton.language as tl


@triton.jit
def twice(x, y, cols, xr, xc, yr, yc, BLOCK: tl.constexpr):
    r, lane = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    inside = lane < cols
    s = tl.load(x + r * xr + lane * xc, mask=inside, other=-float("inf")).to(tl.float32)
    top = tl.max(s, axis=0)
    s = tl.load(x + r * xr + lane * xc, mask=inside, other=-float("inf")).to(tl.float32)
    e = tl.exp(s - top)
    tl.store(y + r * yr + lane * yc, e / tl.sum(e, axis=0), mask=inside)


def softmax(x):
    y = torch.empty(x.shape, dtype=x.dtype)
    rows, cols = x.shape
    twice[(rows,)](x, y, cols, *x.stride(), *y.stride(), BLOCK=triton.next_power_of_2(cols))
    return y
