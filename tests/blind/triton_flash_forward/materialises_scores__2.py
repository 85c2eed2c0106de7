# slip: lines 22, 61
import torch
import triton
import triton.language as tl


@triton.jit
def _score(q, k, s, q0, q1, q2, q3, k0, k1, k2, k3, H, n, m, D, scale, CAUSAL: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr):
    bh = tl.program_id(1)
    i = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    c = tl.arange(0, BLOCK_D)
    q += (bh // H) * q0 + (bh % H) * q1
    k += (bh // H) * k0 + (bh % H) * k1
    qt = tl.load(q + i[:, None] * q2 + c[None, :] * q3, mask=(i[:, None] < n) & (c[None, :] < D), other=0.0)
    stop = m
    if CAUSAL:
        stop = tl.minimum(m, tl.program_id(0) * BLOCK_M + BLOCK_M + m - n)
    for start in range(0, stop, BLOCK_N):
        j = start + tl.arange(0, BLOCK_N)
        kt = tl.load(k + j[None, :] * k2 + c[:, None] * k3, mask=(j[None, :] < m) & (c[:, None] < D), other=0.0)
        x = tl.dot(qt.to(tl.float32), kt.to(tl.float32), input_precision="ieee") * scale
        tl.store(s + (bh * n + i[:, None]) * m + j[None, :], x, mask=(i[:, None] < n) & (j[None, :] < m))


@triton.jit
def attend(s, v, o, lse, v0, v1, v2, v3, H, n, m, D, CAUSAL: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr):
    bh = tl.program_id(1)
    i = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    c = tl.arange(0, BLOCK_D)
    v += (bh // H) * v0 + (bh % H) * v1
    top = tl.full([BLOCK_M], -1.0e30, tl.float32)
    total = tl.zeros([BLOCK_M], tl.float32)
    acc = tl.zeros([BLOCK_M, BLOCK_D], tl.float32)
    stop = m
    if CAUSAL:
        stop = tl.minimum(m, tl.program_id(0) * BLOCK_M + BLOCK_M + m - n)
    for start in range(0, stop, BLOCK_N):
        j = start + tl.arange(0, BLOCK_N)
        see = (i[:, None] < n) & (j[None, :] < m)
        if CAUSAL:
            see = see & (j[None, :] <= i[:, None] + m - n)
        x = tl.load(s + (bh * n + i[:, None]) * m + j[None, :], mask=see, other=float("-inf"))
        new = tl.maximum(top, tl.max(x, 1))
        p = tl.exp(x - new[:, None])
        shrink = tl.exp(top - new)
        total = total * shrink + tl.sum(p, 1)
        vt = tl.load(v + j[:, None] * v2 + c[None, :] * v3, mask=(j[:, None] < m) & (c[None, :] < D), other=0.0)
        acc = acc * shrink[:, None] + tl.dot(p, vt.to(tl.float32), input_precision="ieee")
        top = new
    acc = acc / tl.where(total > 0, total, 1.0)[:, None]
    r = bh * n + i
    tl.store(o + r[:, None] * D + c[None, :], acc.to(o.dtype.element_ty), mask=(i[:, None] < n) & (c[None, :] < D))
    tl.store(lse + r, top + tl.log(total), mask=i < n)


def flash_attention(q, k, v, block_m, block_n, causal=False):
    b, h, n, d = q.shape
    m = k.shape[2]
    o = torch.empty((b, h, n, d), dtype=q.dtype, device=q.device)
    lse = torch.empty((b, h, n), dtype=torch.float32, device=q.device)
    s = torch.empty((b, h, n, m), dtype=torch.float32, device=q.device)
    grid = (triton.cdiv(n, block_m), b * h)
    sizes = dict(CAUSAL=causal, BLOCK_M=block_m, BLOCK_N=block_n, BLOCK_D=max(16, triton.next_power_of_2(d)))
    _score[grid](q, k, s, *q.stride(), *k.stride(), h, n, m, d, d**-0.5, **sizes)
    attend[grid](s, v, o, lse, *v.stride(), h, n, m, d, **sizes)
    return o, lse
