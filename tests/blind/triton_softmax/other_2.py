# slip: line 9
import torch
import triton
import triton.language as tl


@triton.jit
def _normalise(t, keep):
    t = tl.exp2(t - tl.max(t, axis=1)[:, None])
    t = tl.where(keep, t, 0.0)
    return t / tl.sum(t, axis=1)[:, None]


@triton.jit
def softmax_row(x, y, n, sx0, sx1, sy0, sy1, BLOCK: tl.constexpr):
    # a tile of one row, so that the helper sees a matrix
    i = tl.program_id(0) + tl.arange(0, 1)[:, None]
    j = tl.arange(0, BLOCK)[None, :]
    keep = j < n
    t = tl.load(x + i * sx0 + j * sx1, mask=keep, other=-float("inf"))
    t = _normalise(t.to(tl.float32), keep)
    tl.store(y + i * sy0 + j * sy1, t.to(y.dtype.element_ty), mask=keep)


def softmax(x):
    y = torch.empty_like(x)
    n = x.size(1)
    softmax_row[(x.size(0),)](x, y, n, *x.stride(), *y.stride(), triton.next_power_of_2(n))
    return y
