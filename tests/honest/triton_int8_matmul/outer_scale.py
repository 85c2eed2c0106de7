"""A 1-D grid; the two scales multiplied with each other first; tiles of 32 x 64."""

import torch
import triton
import triton.language as tl

BM, BN, BK = 32, 64, 32


@triton.jit
def kernel(
    a,
    sa,
    b,
    sb,
    c,
    M,
    N,
    K,
    a0,
    a1,
    b0,
    b1,
    t0,
    u0,
    M_: tl.constexpr,
    N_: tl.constexpr,
    K_: tl.constexpr,
):
    tiles = tl.cdiv(N, N_)
    pid = tl.program_id(0)
    m = (pid // tiles) * M_ + tl.arange(0, M_)[:, None]
    n = (pid % tiles) * N_ + tl.arange(0, N_)[None, :]
    k = tl.arange(0, K_)
    acc = tl.zeros((M_, N_), dtype=tl.int32)
    for s in range(0, K, K_):
        x = tl.load(
            a + m * a0 + (s + k)[None, :] * a1, mask=(m < M) & ((s + k)[None, :] < K), other=0
        )
        y = tl.load(
            b + (s + k)[:, None] * b0 + n * b1, mask=((s + k)[:, None] < K) & (n < N), other=0
        )
        acc = tl.dot(x, y, acc)
    scale = tl.load(sa + m * t0, mask=m < M, other=1.0) * tl.load(
        sb + n * u0, mask=n < N, other=1.0
    )
    tl.store(c + m * N + n, acc * scale, mask=(m < M) & (n < N))


def int8_matmul(
    a_q: torch.Tensor, a_scale: torch.Tensor, b_q: torch.Tensor, b_scale: torch.Tensor
) -> torch.Tensor:
    M, K = a_q.shape
    N = b_q.shape[-1]
    out = torch.zeros((M, N))
    kernel[(triton.cdiv(M, BM) * triton.cdiv(N, BN),)](
        a_q,
        a_scale,
        b_q,
        b_scale,
        out,
        M,
        N,
        K,
        *a_q.stride(),
        *b_q.stride(),
        *a_scale.stride(),
        *b_scale.stride(),
        M_=BM,
        N_=BN,
        K_=BK,
    )
    return out
