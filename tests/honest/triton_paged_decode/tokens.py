"""Blocks of 16 tokens whatever the pages are: each lane looks its page up."""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(
    q,
    kp,
    vp,
    bt,
    ln,
    o,
    q0,
    q1,
    q2,
    k0,
    k1,
    k2,
    k3,
    v0,
    v1,
    v2,
    v3,
    b0,
    b1,
    l0,
    R,
    D,
    P,
    scale,
    BR: tl.constexpr,
    BT: tl.constexpr,
    BD: tl.constexpr,
):
    s, g = tl.program_id(0), tl.program_id(1)
    G = tl.num_programs(1)
    n = tl.load(ln + s * l0)
    r, c = tl.arange(0, BR), tl.arange(0, BD)
    inq = (r[:, None] < R) & (c[None, :] < D)
    x = tl.load(q + s * q0 + (g * R + r[:, None]) * q1 + c[None, :] * q2, mask=inq, other=0.0).to(
        tl.float32
    )
    m = tl.full((BR,), -float("inf"), tl.float32)
    l = tl.zeros((BR,), tl.float32)
    acc = tl.zeros((BR, BD), tl.float32)
    for t0 in range(0, n, BT):
        t = t0 + tl.arange(0, BT)
        live = t < n
        page = tl.load(bt + s * b0 + (t // P) * b1, mask=live, other=0).to(tl.int64)
        slot = t % P
        mask = live[:, None] & (c[None, :] < D)
        k = tl.load(
            kp + (page * k0 + slot * k1)[:, None] + g * k2 + c[None, :] * k3, mask=mask, other=0.0
        ).to(tl.float32)
        z = tl.sum(x[:, None, :] * k[None, :, :], 2) * scale
        z = tl.where(live[None, :], z, -float("inf"))
        new = tl.maximum(m, tl.max(z, 1))
        p = tl.exp(z - new[:, None])
        f = tl.exp(m - new)
        v = tl.load(
            vp + (page * v0 + slot * v1)[:, None] + g * v2 + c[None, :] * v3, mask=mask, other=0.0
        ).to(tl.float32)
        acc = acc * f[:, None] + tl.sum(p[:, :, None] * v[None, :, :], 1)
        l = l * f + tl.sum(p, 1)
        m = new
    res = tl.where(l[:, None] > 0, acc / tl.where(l > 0, l, 1.0)[:, None], 0.0)
    tl.store(o + (s * G * R + g * R + r[:, None]) * D + c[None, :], res, mask=inq)


def paged_decode(q, k_pages, v_pages, block_table, lengths):
    s, h, d = q.shape
    g = k_pages.shape[2]
    o = torch.zeros(s, h, d, dtype=q.dtype)
    kernel[(s, g)](
        q,
        k_pages,
        v_pages,
        block_table,
        lengths,
        o,
        *q.stride(),
        *k_pages.stride(),
        *v_pages.stride(),
        *block_table.stride(),
        *lengths.stride(),
        h // g,
        d,
        k_pages.shape[1],
        d**-0.5,
        BR=triton.next_power_of_2(h // g),
        BT=16,
        BD=triton.next_power_of_2(d),
    )
    return o
