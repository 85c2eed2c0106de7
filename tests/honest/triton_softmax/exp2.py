"""Powers of two instead of exponentials, and the reciprocal once a row."""

import torch
import triton
import triton.language as tl

LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def kernel(x, y, cols, xr, xc, yr, yc, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    lane = tl.arange(0, BLOCK)
    inside = lane < cols
    z = tl.load(x + row * xr + lane * xc, mask=inside, other=-float("inf")).to(tl.float32) * LOG2E
    e = tl.exp2(z - tl.max(z, 0))
    scale = 1.0 / tl.sum(e, 0)
    tl.store(y + row * yr + lane * yc, e * scale, mask=inside)


def softmax(x):
    y = torch.empty_like(x)
    kernel[(x.shape[0],)](
        x, y, x.shape[1], *x.stride(), *y.stride(), BLOCK=max(2, triton.next_power_of_2(x.shape[1]))
    )
    return y
