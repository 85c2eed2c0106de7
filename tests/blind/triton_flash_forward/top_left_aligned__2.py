# slip: lines 38, 47
import math

import torch
import triton
import triton.language as tl


@triton.jit
def attend(
    q, k, v, o, lse,
    sqb, sqh, sqn, sqd,
    skb, skh, skm, skd,
    svb, svh, svm, svd,
    sob, soh, son, sod,
    heads, n, m, d, scale,
    CAUSAL: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr,
):
    tile = tl.program_id(0)
    bh = tl.program_id(1)
    b = bh // heads
    h = bh % heads
    rows = tile * BLOCK_M + tl.arange(0, BLOCK_M)
    dims = tl.arange(0, BLOCK_D)
    row_ok = rows < n
    dim_ok = dims < d

    q_ptr = q + b * sqb + h * sqh + rows[:, None] * sqn + dims[None, :] * sqd
    qt = tl.load(q_ptr, mask=row_ok[:, None] & dim_ok[None, :], other=0.0).to(tl.float32)

    top = tl.full((BLOCK_M,), -float("inf"), tl.float32)
    total = tl.zeros((BLOCK_M,), tl.float32)
    acc = tl.zeros((BLOCK_M, BLOCK_D), tl.float32)

    end = m
    if CAUSAL:
        end = tl.minimum(m, (tile + 1) * BLOCK_M)
    for start in range(0, end, BLOCK_N):
        cols = start + tl.arange(0, BLOCK_N)
        col_ok = cols < m
        inside = col_ok[:, None] & dim_ok[None, :]
        kt = tl.load(k + b * skb + h * skh + cols[:, None] * skm + dims[None, :] * skd, mask=inside, other=0.0)
        s = tl.dot(qt, tl.trans(kt.to(tl.float32)), input_precision="ieee") * scale
        visible = col_ok[None, :]
        if CAUSAL:
            visible = visible & (cols[None, :] <= rows[:, None])
        s = tl.where(visible, s, -float("inf"))
        new = tl.maximum(top, tl.max(s, axis=1))
        ref = tl.where(new == -float("inf"), 0.0, new)
        p = tl.exp(s - ref[:, None])
        alpha = tl.exp(top - ref)
        vt = tl.load(v + b * svb + h * svh + cols[:, None] * svm + dims[None, :] * svd, mask=inside, other=0.0)
        total = total * alpha + tl.sum(p, axis=1)
        acc = acc * alpha[:, None] + tl.dot(p, vt.to(tl.float32), input_precision="ieee")
        top = new

    result = acc / tl.where(total == 0.0, 1.0, total)[:, None]
    o_ptr = o + b * sob + h * soh + rows[:, None] * son + dims[None, :] * sod
    tl.store(o_ptr, result.to(o.dtype.element_ty), mask=row_ok[:, None] & dim_ok[None, :])
    tl.store(lse + bh * n + rows, top + tl.log(total), mask=row_ok)


def flash_attention(q, k, v, block_m, block_n, causal=False):
    b, h, n, d = q.shape
    m = k.shape[2]
    o = torch.empty((b, h, n, d), dtype=q.dtype, device=q.device)
    lse = torch.empty((b, h, n), dtype=torch.float32, device=q.device)
    grid = (triton.cdiv(n, block_m), b * h)
    attend[grid](
        q, k, v, o, lse,
        *q.stride(), *k.stride(), *v.stride(), *o.stride(),
        h, n, m, d, 1.0 / math.sqrt(d),
        CAUSAL=causal, BLOCK_M=block_m, BLOCK_N=block_n,
        BLOCK_D=max(16, triton.next_power_of_2(d)),
    )
    return o, lse
