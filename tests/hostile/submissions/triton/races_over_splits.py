"""Splits k over programs that each add to the same tile of c by load, add and store.

exercise: triton_matmul
stage: correctness
says: Several programs of a launch access
"""

import torch
import triton
import triton.language as tl


@triton.jit
def split(a, b, c, m, n, k, ar, ac, br, bc, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * M + tl.arange(0, M)
    col = tl.program_id(1).to(tl.int64) * N + tl.arange(0, N)
    inner = tl.program_id(2).to(tl.int64) * K + tl.arange(0, K)
    a_tile = tl.load(
        a + row[:, None] * ar + inner * ac, mask=(row[:, None] < m) & (inner < k), other=0.0
    )
    b_tile = tl.load(
        b + inner[:, None] * br + col * bc, mask=(inner[:, None] < k) & (col < n), other=0.0
    )
    at = c + row[:, None] * n + col
    inside = (row[:, None] < m) & (col < n)
    before = tl.load(at, mask=inside, other=0.0)
    tl.store(at, before + tl.dot(a_tile, b_tile, input_precision="ieee"), mask=inside)


def matmul(a, b, block_m, block_n, block_k):
    (m, k), n = a.shape, b.shape[1]
    c = torch.zeros((m, n), dtype=torch.float32, device=a.device)
    grid = (triton.cdiv(m, block_m), triton.cdiv(n, block_n), triton.cdiv(k, block_k))
    split[grid](a, b, c, m, n, k, *a.stride(), *b.stride(), block_m, block_n, block_k)
    return c.to(a.dtype)
