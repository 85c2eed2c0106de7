# slip: line 67
import torch
import triton
import triton.language as tl


LOG2E = 1.4426950408889634


@triton.jit
def attend(
    q_ptr,
    k_ptr,
    v_ptr,
    o_ptr,
    lse_ptr,
    stride_qb, stride_qh, stride_qn, stride_qd,
    stride_kb, stride_kh, stride_kn, stride_kd,
    stride_vb, stride_vh, stride_vn, stride_vd,
    H,
    N_Q,
    N_K,
    D,
    qk_scale,
    IS_CAUSAL: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """Scores are kept in base 2: log2(e) is folded into the scale."""
    tiles = tl.cdiv(N_Q, BLOCK_M)
    pid = tl.program_id(0)
    start_m = (pid % tiles) * BLOCK_M
    off_bh = pid // tiles
    off_b = (off_bh // H).to(tl.int64)
    off_h = (off_bh % H).to(tl.int64)
    q_ptr += off_b * stride_qb + off_h * stride_qh
    k_ptr += off_b * stride_kb + off_h * stride_kh
    v_ptr += off_b * stride_vb + off_h * stride_vh

    offs_m = start_m + tl.arange(0, BLOCK_M)
    offs_n = tl.arange(0, BLOCK_N)
    offs_d = tl.arange(0, BLOCK_D)
    q_mask = (offs_m[:, None] < N_Q) & (offs_d[None, :] < D)
    q = tl.load(q_ptr + offs_m[:, None] * stride_qn + offs_d[None, :] * stride_qd, mask=q_mask, other=0.0)
    q = q.to(tl.float32) * qk_scale

    m_i = tl.zeros([BLOCK_M], dtype=tl.float32) - float("inf")
    l_i = tl.zeros([BLOCK_M], dtype=tl.float32)
    acc = tl.zeros([BLOCK_M, BLOCK_D], dtype=tl.float32)
    shift = N_K - N_Q

    n_tiles = tl.cdiv(N_K, BLOCK_N)
    if IS_CAUSAL:
        last = tl.minimum(start_m + BLOCK_M, N_Q) - 1 + shift
        n_tiles = tl.minimum(n_tiles, tl.maximum(0, last // BLOCK_N + 1))
    for j in range(0, n_tiles):
        kv = j * BLOCK_N + offs_n
        k_t = tl.load(
            k_ptr + offs_d[:, None] * stride_kd + kv[None, :] * stride_kn,
            mask=(offs_d[:, None] < D) & (kv[None, :] < N_K),
            other=0.0,
        ).to(tl.float32)
        qk = tl.dot(q, k_t, input_precision="ieee")
        qk = tl.where(kv[None, :] < N_K, qk, float("-inf"))
        if IS_CAUSAL:
            qk = tl.where(offs_m[:, None] + shift > kv[None, :], qk, float("-inf"))
        m_new = tl.maximum(m_i, tl.max(qk, 1))
        m_safe = tl.where(m_new > float("-inf"), m_new, 0.0)
        alpha = tl.exp2(m_i - m_safe)
        p = tl.exp2(qk - m_safe[:, None])
        l_i = l_i * alpha + tl.sum(p, 1)
        acc = acc * alpha[:, None]
        values = tl.load(
            v_ptr + kv[:, None] * stride_vn + offs_d[None, :] * stride_vd,
            mask=(kv[:, None] < N_K) & (offs_d[None, :] < D),
            other=0.0,
        ).to(tl.float32)
        acc += tl.dot(p, values, input_precision="ieee")
        m_i = m_new

    denom = tl.where(l_i > 0, l_i, 1.0)
    acc = acc / denom[:, None]
    base = off_bh * N_Q
    tl.store(o_ptr + (base + offs_m[:, None]) * D + offs_d[None, :], acc.to(o_ptr.dtype.element_ty), mask=q_mask)
    lse = tl.where(l_i > 0, (m_i + tl.log2(denom)) / 1.4426950408889634, float("-inf"))
    tl.store(lse_ptr + base + offs_m, lse, mask=offs_m < N_Q)


def flash_attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    block_m: int,
    block_n: int,
    causal: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    b, h, n, d = q.shape
    m = k.shape[2]
    out = torch.empty((b, h, n, d), dtype=q.dtype, device=q.device)
    lse = torch.empty((b, h, n), dtype=torch.float32, device=q.device)
    grid = (triton.cdiv(n, block_m) * b * h,)
    attend[grid](
        q, k, v, out, lse,
        *q.stride(), *k.stride(), *v.stride(),
        h, n, m, d, d**-0.5 * LOG2E,
        IS_CAUSAL=causal,
        BLOCK_M=block_m,
        BLOCK_N=block_n,
        BLOCK_D=max(triton.next_power_of_2(d), 16),
    )
    return out, lse
