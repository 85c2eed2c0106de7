"""A helper that walks over tiles: first those in the past, then those on the diagonal."""

import torch
import triton
import triton.language as tl


@triton.jit
def walk(
    acc,
    l,
    m,
    q,
    kp,
    vp,
    skm,
    svm,
    lo,
    hi,
    i,
    M,
    shift,
    dmask,
    scale,
    MASK: tl.constexpr,
    BN: tl.constexpr,
):
    for s in range(lo, hi, BN):
        j = s + tl.arange(0, BN)
        k = tl.load(kp + j[:, None] * skm, mask=(j < M)[:, None] & dmask, other=0.0)
        v = tl.load(vp + j[:, None] * svm, mask=(j < M)[:, None] & dmask, other=0.0)
        x = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
        if MASK:
            x = tl.where((i[:, None] + shift >= j[None, :]) & (j < M)[None, :], x, -1.0e30)
        else:
            x = tl.where((j < M)[None, :], x, -1.0e30)
        new = tl.maximum(m, tl.max(x, 1))
        p = tl.exp(x - new[:, None])
        p = tl.where(x > -1.0e29, p, 0.0)
        a = tl.exp(m - new)
        l = l * a + tl.sum(p, 1)
        acc = acc * a[:, None] + tl.dot(p, v.to(tl.float32), input_precision="ieee")
        m = new
    return acc, l, m


@triton.jit
def kernel(
    q,
    k,
    v,
    o,
    lse,
    qs,
    ks,
    vs,
    os,
    H,
    N,
    M,
    D,
    scale,
    CAUSAL: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BD: tl.constexpr,
):
    t, b, h = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    i, c = t * BM + tl.arange(0, BM), tl.arange(0, BD)
    dmask = (c < D)[None, :]
    qt = tl.load(
        q + b * qs[0] + h * qs[1] + i[:, None] * qs[2] + c[None, :] * qs[3],
        mask=(i < N)[:, None] & dmask,
        other=0.0,
    )
    kp = k + b * ks[0] + h * ks[1] + c[None, :] * ks[3]
    vp = v + b * vs[0] + h * vs[1] + c[None, :] * vs[3]
    acc = tl.zeros((BM, BD), tl.float32)
    l = tl.zeros((BM,), tl.float32)
    m = tl.full((BM,), -1.0e30, tl.float32)
    shift = M - N
    if CAUSAL:
        full = tl.maximum(0, tl.minimum(M, t * BM + shift + 1)) // BN * BN
        end = tl.maximum(full, tl.minimum(M, t * BM + BM + shift))
        acc, l, m = walk(
            acc, l, m, qt, kp, vp, ks[2], vs[2], 0, full, i, M, shift, dmask, scale, False, BN
        )
        acc, l, m = walk(
            acc, l, m, qt, kp, vp, ks[2], vs[2], full, end, i, M, shift, dmask, scale, True, BN
        )
    else:
        acc, l, m = walk(
            acc, l, m, qt, kp, vp, ks[2], vs[2], 0, M, i, M, shift, dmask, scale, False, BN
        )
    some = l > 0
    out = tl.where(some[:, None], acc / tl.where(some, l, 1.0)[:, None], 0.0)
    tl.store(
        o + b * os[0] + h * os[1] + i[:, None] * os[2] + c[None, :] * os[3],
        out.to(o.dtype.element_ty),
        mask=(i < N)[:, None] & dmask,
    )
    tl.store(
        lse + (b * H + h) * N + i,
        tl.where(some, m + tl.log(tl.where(some, l, 1.0)), float("-inf")),
        mask=i < N,
    )


def flash_attention(q, k, v, block_m, block_n, causal=False):
    b, h, n, d = q.shape
    o = q.new_empty(q.shape)
    lse = q.new_empty((b, h, n), dtype=torch.float32)
    kernel[(triton.cdiv(n, block_m), b, h)](
        q,
        k,
        v,
        o,
        lse,
        q.stride(),
        k.stride(),
        v.stride(),
        o.stride(),
        h,
        n,
        k.shape[2],
        d,
        d**-0.5,
        CAUSAL=causal,
        BM=block_m,
        BN=block_n,
        BD=triton.next_power_of_2(max(d, 16)),
    )
    return o, lse
