"""A one-dimensional grid in groups, moving pointers, rows wrapped by modulo, k alone is masked."""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(
    A,
    B,
    C,
    M,
    N,
    K,
    sam,
    sak,
    sbk,
    sbn,
    scm,
    scn,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
    GROUP: tl.constexpr,
):
    pid = tl.program_id(axis=0)
    num_m = tl.cdiv(M, BM)
    num_n = tl.cdiv(N, BN)
    in_group = GROUP * num_n
    first = pid // in_group * GROUP
    size = min(num_m - first, GROUP)
    pm = first + (pid % in_group) % size
    pn = (pid % in_group) // size
    rm = (pm * BM + tl.arange(0, BM)) % M
    rn = (pn * BN + tl.arange(0, BN)) % N
    rk = tl.arange(0, BK)
    pa = A + (rm[:, None] * sam + rk[None, :] * sak)
    pb = B + (rk[:, None] * sbk + rn[None, :] * sbn)
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for i in range(0, tl.cdiv(K, BK)):
        a = tl.load(pa, mask=rk[None, :] < K - i * BK, other=0.0)
        b = tl.load(pb, mask=rk[:, None] < K - i * BK, other=0.0)
        acc += tl.dot(a, b, input_precision="ieee")
        pa += BK * sak
        pb += BK * sbk
    om = pm * BM + tl.arange(0, BM)
    on = pn * BN + tl.arange(0, BN)
    tl.store(
        C + scm * om[:, None] + scn * on[None, :],
        acc.to(C.dtype.element_ty),
        mask=(om[:, None] < M) & (on[None, :] < N),
    )


def matmul(a, b, block_m, block_n, block_k):
    M, K = a.shape
    N = b.shape[1]
    c = torch.empty((M, N), device=a.device, dtype=a.dtype)
    grid = lambda META: (triton.cdiv(M, META["BM"]) * triton.cdiv(N, META["BN"]),)
    kernel[grid](
        a,
        b,
        c,
        M,
        N,
        K,
        a.stride(0),
        a.stride(1),
        b.stride(0),
        b.stride(1),
        c.stride(0),
        c.stride(1),
        BM=block_m,
        BN=block_n,
        BK=block_k,
        GROUP=2,
    )
    return c
