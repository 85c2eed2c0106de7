"""A flag for a k without tail, a helper for masked loads, float32 tiles."""

import torch
import triton
import triton.language as tl


@triton.jit
def tile(p, r, c, sr, sc, nr, nc):
    return tl.load(
        p + r[:, None] * sr + c[None, :] * sc, mask=(r < nr)[:, None] & (c < nc)[None, :], other=0
    ).to(tl.float32)


@triton.jit
def kernel(a, b, c, M, N, K, a0, a1, b0, b1, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    i = tl.program_id(1) * BM + tl.arange(0, BM)
    j = tl.program_id(0) * BN + tl.arange(0, BN)
    out = tl.zeros([BM, BN], tl.float32)
    k0 = 0
    while k0 < K:
        kk = k0 + tl.arange(0, BK)
        out = tl.dot(
            tile(a, i, kk, a0, a1, M, K), tile(b, kk, j, b0, b1, K, N), out, input_precision="ieee"
        )
        k0 += BK
    tl.store(c + i[:, None] * N + j[None, :], out, mask=(i < M)[:, None] & (j < N)[None, :])


def matmul(
    a: torch.Tensor, b: torch.Tensor, block_m: int, block_n: int, block_k: int
) -> torch.Tensor:
    (M, K), (_, N) = a.shape, b.shape
    c = a.new_empty(M, N)
    kernel[(-(-N // block_n), -(-M // block_m))](
        a, b, c, M, N, K, *a.stride(), *b.stride(), block_m, block_n, block_k
    )
    return c
