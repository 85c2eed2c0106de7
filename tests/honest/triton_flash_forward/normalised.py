"""Kept normalised after every tile, with lse as the only statistic."""

import torch
import triton
import triton.language as tl


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
    h,
    n,
    m,
    d,
    scale,
    causal,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BD: tl.constexpr,
):
    head = tl.program_id(0)
    i = tl.program_id(1) * BM + tl.arange(0, BM)
    c = tl.arange(0, BD)
    q += (head // h) * qs[0] + (head % h) * qs[1]
    k += (head // h) * ks[0] + (head % h) * ks[1]
    v += (head // h) * vs[0] + (head % h) * vs[1]
    rows = (i[:, None] < n) & (c[None, :] < d)
    qt = tl.load(q + i[:, None] * qs[2] + c[None, :] * qs[3], mask=rows, other=0.0).to(tl.float32)
    out = tl.zeros((BM, BD), tl.float32)
    known = tl.full((BM,), float("-inf"), tl.float32)
    last = tl.max(tl.where(i < n, i, 0), 0) + m - n
    j0 = 0
    while (j0 < m) and ((causal == 0) or (j0 <= last)):
        j = j0 + tl.arange(0, BN)
        cols = (j[:, None] < m) & (c[None, :] < d)
        kt = tl.load(k + j[:, None] * ks[2] + c[None, :] * ks[3], mask=cols, other=0.0).to(
            tl.float32
        )
        vt = tl.load(v + j[:, None] * vs[2] + c[None, :] * vs[3], mask=cols, other=0.0).to(
            tl.float32
        )
        s = tl.dot(qt, kt.T, input_precision="ieee") * scale
        seen = (j[None, :] < m) & ((causal == 0) | (j[None, :] <= i[:, None] + m - n))
        s = tl.where(seen, s, float("-inf"))
        top = tl.max(s, 1)
        base = tl.where(top > float("-inf"), top, 0.0)
        e = tl.exp(s - base[:, None])
        z = tl.sum(e, 1)
        mine = tl.where(z > 0, base + tl.log(tl.where(z > 0, z, 1.0)), float("-inf"))
        big = tl.maximum(known, mine)
        big = tl.where(big > float("-inf"), big, 0.0)
        new = tl.exp(known - big) + tl.exp(mine - big)
        joined = tl.where(new > 0, big + tl.log(tl.where(new > 0, new, 1.0)), float("-inf"))
        ref = tl.where(joined > float("-inf"), joined, 0.0)
        out = out * tl.exp(known - ref)[:, None] + tl.dot(
            e * tl.exp(base - ref)[:, None], vt, input_precision="ieee"
        )
        known = joined
        j0 += BN
    tl.store(o + head * n * d + i[:, None] * d + c[None, :], out, mask=rows)
    tl.store(lse + head * n + i, known, mask=i < n)


def flash_attention(q, k, v, block_m, block_n, causal=False):
    b, h, n, d = q.shape
    o = torch.empty((b, h, n, d), dtype=q.dtype)
    lse = torch.empty((b, h, n), dtype=torch.float32)
    kernel[(b * h, triton.cdiv(n, block_m))](
        q,
        k,
        v,
        o,
        lse,
        q.stride(),
        k.stride(),
        v.stride(),
        h,
        n,
        k.size(2),
        d,
        d**-0.5,
        int(causal),
        block_m,
        block_n,
        max(16, triton.next_power_of_2(d)),
    )
    return o, lse
