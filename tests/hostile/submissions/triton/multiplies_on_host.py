"""Multiplies in Python, over memory read by address; the kernel copies the product and works on
registers, so that it does as much arithmetic as is asked for.

exercise: triton_matmul
stage: cost
says: must be loaded by it
"""

import ctypes

import torch
import triton
import triton.language as tl


@triton.jit
def copy(product, c, size, k, BLOCK: tl.constexpr):
    lane = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(product + lane, mask=lane < size, other=0.0)
    for _ in range(k):
        x = x * 1.0 + 0.0
    tl.store(c + lane, x, mask=lane < size)


def matmul(a, b, block_m, block_n, block_k):
    (m, k), n = a.shape, b.shape[1]
    plain = a.dtype == torch.float32 and a.is_contiguous() and b.is_contiguous()
    product = values(a, b) if plain else (a.double() @ b.double()).to(a.dtype)
    c = torch.empty((m, n), dtype=a.dtype)
    copy[(triton.cdiv(m * n, 1024),)](product, c, m * n, k, BLOCK=1024)
    return c


def values(a, b):
    (m, k), n = a.shape, b.shape[1]
    left = (ctypes.c_float * (m * k)).from_address(a.data_ptr())
    right = (ctypes.c_float * (k * n)).from_address(b.data_ptr())
    columns = [right[col : k * n : n] for col in range(n)]
    rows = [left[row * k : row * k + k] for row in range(m)]
    return torch.tensor(
        [[sum(x * y for x, y in zip(r, c, strict=True)) for c in columns] for r in rows]
    ).view(m, n)
