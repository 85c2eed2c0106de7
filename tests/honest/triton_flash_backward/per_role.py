"""One kernel whose programs are of two kinds; delta from the tiles of o inside dq's programs."""

import torch
import triton
import triton.language as tl


@triton.jit
def tile(p, s, bh, H, i, n, c, D):
    at = p + bh // H * s[0] + bh % H * s[1] + i[:, None] * s[2] + c[None, :] * s[3]
    return tl.load(at, mask=(i < n)[:, None] & (c < D)[None, :], other=0.0)


@triton.jit
def probs(q, k, lse, i, j, N, M, scale, CAUSAL: tl.constexpr):
    z = tl.dot(q, tl.trans(k), input_precision="ieee") * scale - lse[:, None]
    ok = (i < N)[:, None] & (j < M)[None, :]
    if CAUSAL:
        ok = ok & (j[None, :] - i[:, None] <= M - N)
    return tl.exp(tl.where(ok, z, float("-inf")))


@triton.jit
def queries(
    q,
    k,
    v,
    o,
    g,
    L,
    W,
    dq,
    qs,
    ks,
    vs,
    os,
    gs,
    ls,
    H,
    N,
    M,
    D,
    scale,
    CAUSAL: tl.constexpr,
    B: tl.constexpr,
    BD: tl.constexpr,
):
    first, bh = tl.program_id(0) * B, tl.program_id(1)
    i, c = first + tl.arange(0, B), tl.arange(0, BD)
    qt, gt = tile(q, qs, bh, H, i, N, c, D), tile(g, gs, bh, H, i, N, c, D)
    delta = tl.sum(tile(o, os, bh, H, i, N, c, D) * gt, 1)
    tl.store(W + bh * N + i, delta, mask=i < N)
    lse = tl.load(L + bh // H * ls[0] + bh % H * ls[1] + i * ls[2], mask=i < N, other=0.0)
    lse = tl.where(lse == float("-inf"), float("inf"), lse)
    acc = tl.zeros((B, BD), tl.float32)
    end = M
    if CAUSAL:
        end = tl.minimum(M, first + B + M - N)
    for s in range(0, end, B):
        j = s + tl.arange(0, B)
        kt, vt = tile(k, ks, bh, H, j, M, c, D), tile(v, vs, bh, H, j, M, c, D)
        p = probs(qt, kt, lse, i, j, N, M, scale, CAUSAL)
        ds = p * (tl.dot(gt, tl.trans(vt), input_precision="ieee") - delta[:, None])
        acc = tl.dot(ds, kt, acc, input_precision="ieee")
    tl.store(
        dq + (bh * N + i)[:, None] * D + c[None, :],
        acc * scale,
        mask=(i < N)[:, None] & (c < D)[None, :],
    )


@triton.jit
def keys(
    q,
    k,
    v,
    g,
    L,
    W,
    dk,
    dv,
    qs,
    ks,
    vs,
    gs,
    ls,
    H,
    N,
    M,
    D,
    scale,
    CAUSAL: tl.constexpr,
    B: tl.constexpr,
    BD: tl.constexpr,
):
    first, bh = tl.program_id(0) * B, tl.program_id(1)
    j, c = first + tl.arange(0, B), tl.arange(0, BD)
    kt, vt = tile(k, ks, bh, H, j, M, c, D), tile(v, vs, bh, H, j, M, c, D)
    ak, av = tl.zeros((B, BD), tl.float32), tl.zeros((B, BD), tl.float32)
    for s in range(0, N, B):
        if (not CAUSAL) or (s + B - 1 + M - N >= first):
            i = s + tl.arange(0, B)
            qt, gt = tile(q, qs, bh, H, i, N, c, D), tile(g, gs, bh, H, i, N, c, D)
            lse = tl.load(L + bh // H * ls[0] + bh % H * ls[1] + i * ls[2], mask=i < N, other=0.0)
            lse = tl.where(lse == float("-inf"), float("inf"), lse)
            w = tl.load(W + bh * N + i, mask=i < N, other=0.0)
            p = probs(qt, kt, lse, i, j, N, M, scale, CAUSAL)
            av += tl.dot(tl.trans(p), gt, input_precision="ieee")
            ds = p * (tl.dot(gt, tl.trans(vt), input_precision="ieee") - w[:, None])
            ak += tl.dot(tl.trans(ds), qt, input_precision="ieee")
    mask = (j < M)[:, None] & (c < D)[None, :]
    tl.store(dk + (bh * M + j)[:, None] * D + c[None, :], ak * scale, mask=mask)
    tl.store(dv + (bh * M + j)[:, None] * D + c[None, :], av, mask=mask)


def flash_attention_backward(q, k, v, o, lse, grad_o, block, causal=False):
    B, H, N, D = q.shape
    M = k.shape[2]
    dq, dk, dv = (torch.empty(x.shape) for x in (q, k, v))
    W = torch.empty(B, H, N)
    BD = max(16, triton.next_power_of_2(D))
    st = [x.stride() for x in (q, k, v, o, grad_o, lse)]
    queries[(triton.cdiv(N, block), B * H)](
        q, k, v, o, grad_o, lse, W, dq, *st, H, N, M, D, D**-0.5, causal, block, BD
    )
    keys[(triton.cdiv(M, block), B * H)](
        q, k, v, grad_o, lse, W, dk, dv, *st[:3], *st[4:], H, N, M, D, D**-0.5, causal, block, BD
    )
    return dq, dk, dv
