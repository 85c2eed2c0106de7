"""Base two with the scale folded in, a one-dimensional grid, keys loaded transposed."""

import math

import torch
import triton
import triton.language as tl


@triton.jit
def fwd(
    Q,
    K,
    V,
    O,
    L,
    sq,
    sk,
    sv,
    so,
    H,
    N,
    M,
    D,
    qk,
    tiles,
    CAUSAL: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BD: tl.constexpr,
):
    pid = tl.program_id(0)
    t, bh = pid % tiles, pid // tiles
    b, h = bh // H, bh % H
    i = t * BM + tl.arange(0, BM)
    dd = tl.arange(0, BD)
    q = (
        tl.load(
            Q + b * sq[0] + h * sq[1] + i[:, None] * sq[2] + dd[None, :] * sq[3],
            mask=(i[:, None] < N) & (dd[None, :] < D),
            other=0.0,
        ).to(tl.float32)
        * qk
    )
    m_i = tl.zeros([BM], tl.float32) - float("inf")
    l_i = tl.zeros([BM], tl.float32)
    acc = tl.zeros([BM, BD], tl.float32)
    hi = M
    if CAUSAL:
        hi = min(M, t * BM + BM + M - N)
    for s in range(0, hi, BN):
        j = s + tl.arange(0, BN)
        kt = tl.load(
            K + b * sk[0] + h * sk[1] + dd[:, None] * sk[3] + j[None, :] * sk[2],
            mask=(j[None, :] < M) & (dd[:, None] < D),
            other=0.0,
        ).to(tl.float32)
        x = tl.dot(q, kt, input_precision="ieee")
        ok = j[None, :] < M
        if CAUSAL:
            ok = ok & (i[:, None] + (M - N) >= j[None, :])
        x = tl.where(ok, x, float("-inf"))
        m_new = tl.maximum(m_i, tl.max(x, 1))
        m_use = tl.where(m_new == float("-inf"), 0.0, m_new)
        alpha = tl.exp2(m_i - m_use)
        p = tl.exp2(x - m_use[:, None])
        l_i = l_i * alpha + tl.sum(p, 1)
        v = tl.load(
            V + b * sv[0] + h * sv[1] + j[:, None] * sv[2] + dd[None, :] * sv[3],
            mask=(j[:, None] < M) & (dd[None, :] < D),
            other=0.0,
        ).to(tl.float32)
        acc = acc * alpha[:, None] + tl.dot(p, v, input_precision="ieee")
        m_i = m_new
    o = acc / tl.where(l_i > 0, l_i, 1.0)[:, None]
    tl.store(
        O + b * so[0] + h * so[1] + i[:, None] * so[2] + dd[None, :] * so[3],
        o,
        mask=(i[:, None] < N) & (dd[None, :] < D),
    )
    lse = tl.where(
        l_i > 0, (m_i + tl.log2(tl.where(l_i > 0, l_i, 1.0))) * 0.6931471805599453, float("-inf")
    )
    tl.store(L + bh * N + i, lse, mask=i < N)


def flash_attention(q, k, v, block_m, block_n, causal=False):
    B, H, N, D = q.shape
    M = k.shape[2]
    o = torch.empty(q.shape, dtype=q.dtype)
    lse = torch.empty(B, H, N)
    tiles = triton.cdiv(N, block_m)
    fwd[(tiles * B * H,)](
        q,
        k,
        v,
        o,
        lse,
        q.stride(),
        k.stride(),
        v.stride(),
        o.stride(),
        H,
        N,
        M,
        D,
        1.4426950408889634 / math.sqrt(D),
        tiles,
        causal,
        block_m,
        block_n,
        max(16, triton.next_power_of_2(D)),
    )
    return o, lse
