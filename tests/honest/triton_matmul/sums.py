"""Without tl.dot: broadcast products summed along k, a transposed result tile."""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(
    a, b, c, M, N, K, a0, a1, b0, b1, c0, c1, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.full((BN, BM), 0.0, tl.float32)
    for k in range(0, K, BK):
        i = k + tl.arange(0, BK)
        x = tl.load(
            a + m[:, None] * a0 + i[None, :] * a1,
            mask=(m[:, None] < M) & (i[None, :] < K),
            other=0.0,
        ).to(tl.float32)
        y = tl.load(
            b + n[:, None] * b1 + i[None, :] * b0,
            mask=(n[:, None] < N) & (i[None, :] < K),
            other=0.0,
        ).to(tl.float32)
        acc += tl.sum(y[:, None, :] * x[None, :, :], axis=2)
    tl.store(c + m[None, :] * c0 + n[:, None] * c1, acc, mask=(m[None, :] < M) & (n[:, None] < N))


def matmul(a, b, block_m, block_n, block_k):
    c = torch.zeros(a.size(0), b.size(1), dtype=a.dtype)
    kernel[triton.cdiv(a.size(0), block_m), triton.cdiv(b.size(1), block_n)](
        a,
        b,
        c,
        a.size(0),
        b.size(1),
        a.size(1),
        *a.stride(),
        *b.stride(),
        *c.stride(),
        BM=block_m,
        BN=block_n,
        BK=block_k,
    )
    return c
