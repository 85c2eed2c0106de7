"""Kernels of the solutions address elements beyond 2**31, along every axis of every input.

Strides of 2**30 elements over three rows reach past 2**31. The memory is reserved, and only the
pages that are touched exist.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOLUTIONS = Path(__file__).parent.parent.parent / "solutions"

HEAD = """
import mmap, sys
import torch
sys.path.insert(0, {folder!r})
FAR, NORESERVE = 2**30, 0x4000

def far(shape, axis, dtype=torch.float32):
    "Random numbers of this shape, FAR elements between neighbours along one axis."
    values = (torch.randn(shape) * 3).to(dtype)
    size = ((shape[axis] - 1) * FAR + values.numel() + 64) * values.element_size()
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE)
    strides = list(torch.empty([1 if a == axis else n for a, n in enumerate(shape)]).stride())
    strides[axis] = FAR
    found = torch.frombuffer(memory, dtype=dtype).as_strided(shape, strides)
    return found.copy_(values), values

def same(got, right):
    got, right = (x if isinstance(x, tuple) else (x,) for x in (got, right))
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(got, right)), (got, right)
"""
CASES = {
    "triton_softmax": """
from triton_softmax import softmax
for axis in (0, 1):
    x, near = far((3, 3), axis)
    same(softmax(x), softmax(near))
""",
    "triton_matmul": """
from triton_matmul import matmul
for axis in (0, 1):
    a, near_a = far((3, 3), axis)
    b, near_b = far((3, 3), 1 - axis)
    same(matmul(a, b, 16, 16, 16), matmul(near_a, near_b, 16, 16, 16))
""",
    "triton_int8_matmul": """
from triton_int8_matmul import int8_matmul
scale = torch.rand(3)
for axis in (0, 1):
    a, near_a = far((3, 3), axis, torch.int8)
    b, near_b = far((3, 3), 1 - axis, torch.int8)
    same(int8_matmul(a, scale, b, scale), int8_matmul(near_a, scale, near_b, scale))
""",
    "triton_flash_forward": """
from triton_flash_forward import flash_attention
for axis in (2, 3):
    made = [far((1, 1, 3, 3), axis) for _ in range(3)]
    far_ones, near = zip(*made)
    same(flash_attention(*far_ones, 16, 16, True), flash_attention(*near, 16, 16, True))
""",
    "triton_flash_backward": """
from triton_flash_forward import flash_attention
from triton_flash_backward import flash_attention_backward
for axis in (2, 3):
    far_ones, near = zip(*(far((1, 1, 3, 3), axis) for _ in range(4)))
    q, k, v, grad = near
    o, lse = flash_attention(q, k, v, 16, 16, True)
    right = flash_attention_backward(q, k, v, o, lse, grad, 16, True)
    same(flash_attention_backward(*far_ones[:3], o, lse, far_ones[3], 16, True), right)
""",
}


@pytest.mark.parametrize("name", CASES)
def test_offsets_past_31_bits(name: str) -> None:
    """An answer does not depend on how far apart its inputs' elements are."""
    done = subprocess.run(
        [sys.executable, "-c", HEAD.format(folder=str(SOLUTIONS)) + CASES[name]],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-1500:]
