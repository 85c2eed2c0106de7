# slip: line 47
import torch
import triton
import triton.language as tl


@triton.jit
def attend(
    q, k, v, o, lse, q_s, k_s, v_s, H, N, M, D, scale,
    CAUSAL: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr,
):
    # q_s, k_s and v_s are tuples of strides
    bh = tl.program_id(1)
    b, h = bh // H, bh % H
    i = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)[:, None]
    e = tl.arange(0, BLOCK_D)[None, :]
    queries = tl.load(q + b * q_s[0] + h * q_s[1] + i * q_s[2] + e * q_s[3], mask=(i < N) & (e < D), other=0)
    queries = queries.to(tl.float32)
    k += b * k_s[0] + h * k_s[1]
    v += b * v_s[0] + h * v_s[1]

    # o and lse of the keys so far: every tile is a result of its own, merged into them
    out = tl.zeros((BLOCK_M, BLOCK_D), tl.float32)
    top = tl.full((BLOCK_M, 1), float("-inf"), tl.float32)
    weight = tl.zeros((BLOCK_M, 1), tl.float32)
    for j0 in tl.range(0, M, BLOCK_N):
        hidden = CAUSAL and j0 > tl.program_id(0) * BLOCK_M + BLOCK_M - 1 + M - N
        if not hidden:
            j = j0 + tl.arange(0, BLOCK_N)[:, None]
            keys = tl.load(k + j * k_s[2] + e * k_s[3], mask=(j < M) & (e < D), other=0).to(tl.float32)
            values = tl.load(v + j * v_s[2] + e * v_s[3], mask=(j < M) & (e < D), other=0).to(tl.float32)
            s = scale * tl.dot(queries, keys.T, input_precision="ieee")
            jt = tl.reshape(j, (1, BLOCK_N))
            see = jt < M
            if CAUSAL:
                see = see & (jt - (M - N) <= i)
            s = tl.where(see, s, float("-inf"))
            tile_top = tl.max(s, axis=1, keep_dims=True)
            new_top = tl.maximum(top, tile_top)
            ref = tl.where(new_top == float("-inf"), 0.0, new_top)
            p = tl.exp(s - ref)
            keep = tl.exp(top - ref)
            weight = keep * weight + tl.sum(p, axis=1, keep_dims=True)
            out = keep * out + tl.dot(p, values, input_precision="ieee")
            top = new_top
    r = bh * N + i
    tl.store(o + r * D + e, out.to(o.dtype.element_ty), mask=(i < N) & (e < D))
    tl.store(lse + r, top + tl.log(weight), mask=i < N)


def flash_attention(q, k, v, block_m, block_n, causal=False):
    B, H, N, D = q.shape
    M = k.size(2)
    o = torch.empty((B, H, N, D), dtype=q.dtype, device=q.device)
    lse = torch.empty((B, H, N), dtype=torch.float32, device=q.device)
    block_d = 16
    while block_d < D:
        block_d *= 2
    attend[((N + block_m - 1) // block_m, B * H)](
        q, k, v, o, lse, q.stride(), k.stride(), v.stride(), H, N, M, D, D**-0.5,
        CAUSAL=causal, BLOCK_M=block_m, BLOCK_N=block_n, BLOCK_D=block_d,
    )
    return o, lse
