"""One kernel over tiles of keys; dq collected by atomic additions; delta by a small kernel."""

import torch
import triton
import triton.language as tl


@triton.jit
def rowsum(o, g, out, os, gs, H, N, D, BM: tl.constexpr, BD: tl.constexpr):
    bh = tl.program_id(1)
    i, c = tl.program_id(0) * BM + tl.arange(0, BM), tl.arange(0, BD)
    mask = (i[:, None] < N) & (c[None, :] < D)
    x = tl.load(
        o + (bh // H) * os[0] + (bh % H) * os[1] + i[:, None] * os[2] + c[None, :] * os[3],
        mask=mask,
        other=0.0,
    )
    y = tl.load(
        g + (bh // H) * gs[0] + (bh % H) * gs[1] + i[:, None] * gs[2] + c[None, :] * gs[3],
        mask=mask,
        other=0.0,
    )
    tl.store(out + bh * N + i, tl.sum(x * y, 1), mask=i < N)


@triton.jit
def bwd(
    q,
    k,
    v,
    g,
    L,
    D_,
    dq,
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
    bh = tl.program_id(1)
    b, h = bh // H, bh % H
    t, c = tl.arange(0, B), tl.arange(0, BD)
    j = tl.program_id(0) * B + t
    cm = (c < D)[None, :]
    jm = (j < M)[:, None] & cm
    kt = tl.load(
        k + b * ks[0] + h * ks[1] + j[:, None] * ks[2] + c[None, :] * ks[3], mask=jm, other=0.0
    )
    vt = tl.load(
        v + b * vs[0] + h * vs[1] + j[:, None] * vs[2] + c[None, :] * vs[3], mask=jm, other=0.0
    )
    ak = tl.zeros((B, BD), tl.float32)
    av = tl.zeros((B, BD), tl.float32)
    first = 0
    if CAUSAL:
        first = tl.maximum(tl.program_id(0) * B - (M - N), 0) // B * B
    for s in range(first, N, B):
        i = s + t
        im = (i < N)[:, None] & cm
        qt = tl.load(
            q + b * qs[0] + h * qs[1] + i[:, None] * qs[2] + c[None, :] * qs[3], mask=im, other=0.0
        )
        gt = tl.load(
            g + b * gs[0] + h * gs[1] + i[:, None] * gs[2] + c[None, :] * gs[3], mask=im, other=0.0
        )
        lse = tl.load(L + b * ls[0] + h * ls[1] + i * ls[2], mask=i < N, other=float("-inf"))
        dl = tl.load(D_ + bh * N + i, mask=i < N, other=0.0)
        ok = (j < M)[None, :] & (lse > float("-inf"))[:, None]
        if CAUSAL:
            ok = ok & (i[:, None] + M - N >= j[None, :])
        z = tl.dot(qt, tl.trans(kt), input_precision="ieee") * scale
        p = tl.where(ok, tl.exp(tl.where(ok, z - lse[:, None], 0.0)), 0.0)
        av = tl.dot(tl.trans(p), gt, av, input_precision="ieee")
        ds = p * (tl.dot(gt, tl.trans(vt), input_precision="ieee") - dl[:, None]) * scale
        ak = tl.dot(tl.trans(ds), qt, ak, input_precision="ieee")
        tl.atomic_add(
            dq + (bh * N + i)[:, None] * D + c[None, :],
            tl.dot(ds, kt, input_precision="ieee"),
            mask=im,
        )
    tl.store(dk + (bh * M + j)[:, None] * D + c[None, :], ak, mask=jm)
    tl.store(dv + (bh * M + j)[:, None] * D + c[None, :], av, mask=jm)


def flash_attention_backward(q, k, v, o, lse, grad_o, block, causal=False):
    B, H, N, D = q.shape
    M = k.shape[2]
    dq = torch.zeros(B, H, N, D)
    dk, dv = torch.empty(B, H, M, D), torch.empty(B, H, M, D)
    delta = torch.empty(B, H, N)
    BD = max(16, triton.next_power_of_2(D))
    rowsum[(triton.cdiv(N, block), B * H)](
        o, grad_o, delta, o.stride(), grad_o.stride(), H, N, D, block, BD
    )
    bwd[(triton.cdiv(M, block), B * H)](
        q,
        k,
        v,
        grad_o,
        lse,
        delta,
        dq,
        dk,
        dv,
        q.stride(),
        k.stride(),
        v.stride(),
        grad_o.stride(),
        lse.stride(),
        H,
        N,
        M,
        D,
        D**-0.5,
        causal,
        block,
        BD,
    )
    return dq, dk, dv
