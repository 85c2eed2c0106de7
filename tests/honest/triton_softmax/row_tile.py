"""Several rows a program, as a two-dimensional tile."""

import torch
import triton
import triton.language as tl


@triton.jit
def tile(x, y, rows, cols, sr, sc, R: tl.constexpr, C: tl.constexpr):
    i = tl.program_id(0) * R + tl.arange(0, R)[:, None]
    j = tl.arange(0, C)[None, :]
    inside = (i < rows) & (j < cols)
    z = tl.load(x + i * sr + j * sc, mask=inside, other=-1e30).to(tl.float32)
    e = tl.where(j < cols, tl.exp(z - tl.max(z, axis=1, keep_dims=True)), 0.0)
    tl.store(y + i * cols + j, e / tl.sum(e, axis=1, keep_dims=True), mask=inside)


def softmax(x: torch.Tensor) -> torch.Tensor:
    rows, cols = x.shape
    y = torch.empty(rows, cols, dtype=x.dtype)
    grid = (triton.cdiv(rows, 2),)
    tile[grid](x, y, rows, cols, *x.stride(), R=2, C=triton.next_power_of_2(cols))
    return y
