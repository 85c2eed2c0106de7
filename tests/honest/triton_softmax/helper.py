"""A helper that is itself a jit function, a lambda for the grid, and the block above its need."""

import torch
import triton
import triton.language as tl


@triton.jit
def normalised(z):
    e = tl.exp(z - tl.max(z, axis=0))
    return e / tl.sum(e, axis=0)


@triton.jit
def kernel(x, y, cols, xr, xc, yr, yc, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lane = tl.arange(0, BLOCK)
    z = tl.load(x + row * xr + lane * xc, mask=lane < cols, other=-float("inf"))
    tl.store(y + row * yr + lane * yc, normalised(z.to(tl.float32)), mask=lane < cols)


def softmax(x):
    rows, cols = x.shape
    y = torch.empty(rows, cols, dtype=x.dtype)
    grid = lambda meta: (rows,)  # noqa: E731
    kernel[grid](x, y, cols, *x.stride(), *y.stride(), BLOCK=2 * triton.next_power_of_2(cols))
    return y
