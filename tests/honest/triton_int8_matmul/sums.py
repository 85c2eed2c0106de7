"""int32 products and sums without tl.dot, tiles of 32."""

import triton
import triton.language as tl


@triton.jit
def load(p, i, j, s0, s1, n0, n1):
    return tl.load(
        p + i[:, None] * s0 + j[None, :] * s1, mask=(i[:, None] < n0) & (j[None, :] < n1), other=0
    ).to(tl.int32)


@triton.jit
def kernel(a, sa, b, sb, c, M, N, K, a0, a1, b0, b1, s0, s1, B: tl.constexpr):
    m = tl.program_id(0) * B + tl.arange(0, B)
    n = tl.program_id(1) * B + tl.arange(0, B)
    acc = tl.zeros((B, B), tl.int32)
    for k0 in range(0, K, B):
        k = k0 + tl.arange(0, B)
        x = load(a, m, k, a0, a1, M, K)
        y = load(b, k, n, b0, b1, K, N)
        acc += tl.sum(x[:, :, None] * y[None, :, :], axis=1)
    f = acc.to(tl.float32)
    f = f * tl.load(sa + m * s0, mask=m < M)[:, None] * tl.load(sb + n * s1, mask=n < N)[None, :]
    tl.store(c + m[:, None] * N + n[None, :], f, mask=(m[:, None] < M) & (n[None, :] < N))


def int8_matmul(a_q, a_scale, b_q, b_scale):
    c = a_scale.new_empty(a_q.shape[0], b_q.shape[1])
    kernel[(triton.cdiv(c.shape[0], 32), triton.cdiv(c.shape[1], 32))](
        a_q,
        a_scale,
        b_q,
        b_scale,
        c,
        *c.shape,
        a_q.shape[1],
        *a_q.stride(),
        *b_q.stride(),
        *a_scale.stride(),
        *b_scale.stride(),
        B=32,
    )
    return c
