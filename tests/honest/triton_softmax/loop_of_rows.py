"""One program walks over all rows."""

import triton
import triton.language as tl


@triton.jit
def walk(x, y, rows, cols, xr, xc, BLOCK: tl.constexpr):
    lane = tl.arange(0, BLOCK)
    inside = lane < cols
    for row in range(tl.program_id(0), rows, tl.num_programs(0)):
        z = tl.load(x + row * xr + lane * xc, mask=inside, other=-float("inf"))
        z = z.to(tl.float32)
        e = tl.exp(z - tl.max(z, axis=0))
        tl.store(y + row * cols + lane, e / tl.sum(e, axis=0), mask=inside)


def softmax(x):
    y = x.new_empty(x.shape)
    walk[(2,)](x, y, x.shape[0], x.shape[1], *x.stride(), BLOCK=triton.next_power_of_2(x.shape[1]))
    return y
