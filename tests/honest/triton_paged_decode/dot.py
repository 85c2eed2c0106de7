"""tl.dot over at least 16 padded heads and slots; a one-dimensional grid."""

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
    qs,
    ks,
    vs,
    bs,
    ls,
    G,
    R,
    D,
    P,
    scale,
    BR: tl.constexpr,
    BP: tl.constexpr,
    BD: tl.constexpr,
):
    s, g = tl.program_id(0) // G, tl.program_id(0) % G
    n = tl.load(ln + s * ls)
    r, t, c = tl.arange(0, BR), tl.arange(0, BP), tl.arange(0, BD)
    qm = (r < R)[:, None] & (c < D)[None, :]
    x = (
        tl.load(
            q + s * qs[0] + (g * R + r)[:, None] * qs[1] + c[None, :] * qs[2], mask=qm, other=0.0
        ).to(tl.float32)
        * scale
    )
    m = tl.full([BR], float("-inf"), tl.float32)
    l = tl.zeros([BR], tl.float32)
    a = tl.zeros([BR, BD], tl.float32)
    for i in range(0, tl.cdiv(n, P)):
        page = tl.load(bt + s * bs[0] + i * bs[1])
        live = (t < P) & (i * P + t < n)
        mask = live[:, None] & (c < D)[None, :]
        k = tl.load(
            kp + page * ks[0] + t[:, None] * ks[1] + g * ks[2] + c[None, :] * ks[3],
            mask=mask,
            other=0.0,
        ).to(tl.float32)
        v = tl.load(
            vp + page * vs[0] + t[:, None] * vs[1] + g * vs[2] + c[None, :] * vs[3],
            mask=mask,
            other=0.0,
        ).to(tl.float32)
        z = tl.where(live[None, :], tl.dot(x, tl.trans(k), input_precision="ieee"), float("-inf"))
        new = tl.maximum(m, tl.max(z, 1))
        p = tl.exp(z - new[:, None])
        f = tl.exp(m - new)
        l = l * f + tl.sum(p, 1)
        a = tl.dot(p, v, a * f[:, None], input_precision="ieee")
        m = new
    out = a / tl.where(l == 0, 1.0, l)[:, None]
    tl.store(
        o + (s * G * R + g * R + r)[:, None] * D + c[None, :], out.to(o.dtype.element_ty), mask=qm
    )


def paged_decode(q, k_pages, v_pages, block_table, lengths):
    S, H, D = q.shape
    P, G = k_pages.shape[1:3]
    o = torch.empty((S, H, D), dtype=q.dtype)
    up = lambda x: max(16, triton.next_power_of_2(x))
    kernel[(S * G,)](
        q,
        k_pages,
        v_pages,
        block_table,
        lengths,
        o,
        q.stride(),
        k_pages.stride(),
        v_pages.stride(),
        block_table.stride(),
        lengths.stride(0),
        G,
        H // G,
        D,
        P,
        D**-0.5,
        up(H // G),
        up(P),
        up(D),
    )
    return o
