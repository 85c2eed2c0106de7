# slip: line 52
import torch
import triton
import triton.language as tl


@triton.jit
def _tile(base, i, j, si, sj, rows, cols):
    """Rows i and columns j of a matrix, as float32, with 0 beyond its end."""
    inside = (i[:, None] < rows) & (j[None, :] < cols)
    return tl.load(base + i[:, None] * si + j[None, :] * sj, mask=inside, other=0.0).to(tl.float32)


@triton.jit
def _update(s, vt, top, total, acc):
    new = tl.maximum(top, tl.max(s, 1))
    safe = tl.maximum(new, -1.0e38)
    p = tl.exp(s - safe[:, None])
    shrink = tl.exp(top - safe)
    total = total * shrink + tl.sum(p, 1)
    acc = acc * shrink[:, None] + tl.dot(p, vt, input_precision="ieee")
    return new, total, acc


@triton.jit
def attend(q, k, v, o, lse, q0, q1, q2, q3, k0, k1, k2, k3, v0, v1, v2, v3, n, m, D: tl.constexpr, CAUSAL: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr):
    b = tl.program_id(2)
    h = tl.program_id(1)
    first = tl.program_id(0) * BLOCK_M
    i = first + tl.arange(0, BLOCK_M)
    c = tl.arange(0, BLOCK_D)
    scale = 1.0 / tl.sqrt(D * 1.0)
    qt = _tile(q + b * q0 + h * q1, i, c, q2, q3, n, D) * scale
    position = i + (m - n)
    if not CAUSAL:
        position = position * 0 + m

    top = tl.full([BLOCK_M], float("-inf"), tl.float32)
    total = tl.full([BLOCK_M], 0.0, tl.float32)
    acc = tl.full([BLOCK_M, BLOCK_D], 0.0, tl.float32)
    start = 0
    stop = tl.minimum(m, tl.max(tl.where(i < n, position, -1), 0) + 1)
    while start < stop:
        j = start + tl.arange(0, BLOCK_N)
        kt = _tile(k + b * k0 + h * k1, j, c, k2, k3, m, D)
        vt = _tile(v + b * v0 + h * v1, j, c, v2, v3, m, D)
        s = tl.dot(qt, tl.trans(kt), input_precision="ieee")
        s = tl.where((j[None, :] <= position[:, None]) & (j[None, :] < m), s, float("-inf"))
        top, total, acc = _update(s, vt, top, total, acc)
        start += BLOCK_N

    acc = acc / total[:, None]
    row = (b * tl.num_programs(1) + h) * n + i
    tl.store(o + row[:, None] * D + c[None, :], acc.to(o.dtype.element_ty), mask=(i[:, None] < n) & (c[None, :] < D))
    tl.store(lse + row, top + tl.log(total), mask=i < n)


def flash_attention(q, k, v, block_m, block_n, causal=False):
    b, h, n, d = q.shape
    o = q.new_empty((b, h, n, d))
    lse = q.new_empty((b, h, n), dtype=torch.float32)
    attend[(triton.cdiv(n, block_m), h, b)](
        q, k, v, o, lse, *q.stride(), *k.stride(), *v.stride(), n, k.shape[2],
        D=d, CAUSAL=causal, BLOCK_M=block_m, BLOCK_N=block_n, BLOCK_D=triton.next_power_of_2(max(d, 16)),
    )
    return o, lse
