"""What Triton kernels move and compute is counted by the lane."""

from __future__ import annotations

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

# Read by Triton when a kernel is defined.
os.environ["TRITON_INTERPRET"] = "1"
triton = pytest.importorskip("triton")
tl = pytest.importorskip("triton.language")
traffic = pytest.importorskip("quizprep.worker.learner.triton_meters")

LANES = 16


@triton.jit
def adds(x, total, count, LANES: tl.constexpr):
    place = tl.arange(0, LANES)
    value = tl.load(x + place, mask=place < count, other=0.0)
    tl.atomic_add(total + place, value, mask=place < count)


@triton.jit
def exchanges(lock, wanted):
    tl.atomic_cas(lock, wanted, wanted + 1)


@triton.jit
def multiplies(a, b, c, M: tl.constexpr, K: tl.constexpr, N: tl.constexpr):
    m, k, n = tl.arange(0, M), tl.arange(0, K), tl.arange(0, N)
    left = tl.load(a + m[:, None] * K + k[None, :])
    right = tl.load(b + k[:, None] * N + n[None, :])
    tl.store(c + m[:, None] * N + n[None, :], tl.dot(left, right))


@triton.jit
def copies_by_descriptor(x, y, rows, cols, LANES: tl.constexpr):
    source = tl.make_tensor_descriptor(x, [rows, cols], [cols, 1], [1, LANES])
    target = tl.make_tensor_descriptor(y, [rows, cols], [cols, 1], [1, LANES])
    row = tl.program_id(0)
    target.store([row, 0], source.load([row, 0]))


def test_descriptors_are_counted_by_their_elements() -> None:
    """Their accesses pass the cache policy by name; lanes beyond the tensor move nothing."""
    x = torch.arange(3.0 * 12).reshape(3, 12)
    y = torch.zeros_like(x)
    with traffic.counting() as seen:
        copies_by_descriptor[(3,)](x, y, 3, 12, LANES)
    assert torch.equal(x, y)
    assert (seen.read, seen.written) == (4 * 36, 4 * 36)


@settings(max_examples=20)
@given(st.integers(0, LANES), st.integers(1, 3))
def test_an_atomic_sum_reads_and_writes_its_lanes(count: int, programs: int) -> None:
    """Every lane that is not switched off is read, added to and written, once a program."""
    x, total = torch.ones(LANES), torch.zeros(LANES)
    with traffic.counting() as seen:
        adds[(programs,)](x, total, count, LANES)
    assert total.sum() == count * programs
    assert (seen.read, seen.written) == (2 * 4 * count * programs, 4 * count * programs)
    assert (seen.programs, seen.launches) == (programs, 1)


def test_an_exchange_reads_and_writes_a_word() -> None:
    """A lock is memory as well."""
    lock = torch.zeros(1, dtype=torch.int32)
    with traffic.counting() as seen:
        exchanges[(3,)](lock, 0)
    assert lock.item() == 1
    assert (seen.read, seen.written) == (12, 12)


@settings(max_examples=10)
@given(*[st.sampled_from([16, 32])] * 3)
def test_a_product_of_tiles_is_two_operations_a_term(m: int, k: int, n: int) -> None:
    """tl.dot counts 2*m*k*n, and its tiles are moved once."""
    a, b, c = torch.ones(m, k), torch.ones(k, n), torch.empty(m, n)
    with traffic.counting() as seen:
        multiplies[(1,)](a, b, c, m, k, n)
    assert torch.equal(c, a @ b)
    assert seen.readings()["flops"] == 2 * m * k * n
    assert seen.readings()["moved_bytes"] == 4 * (m * k + k * n + m * n)


def test_outside_the_block_nothing_is_counted() -> None:
    """The interpreter is put back as it was."""
    lock = torch.zeros(1, dtype=torch.int32)
    with traffic.counting() as seen:
        pass
    exchanges[(1,)](lock, 0)
    assert seen.readings() == dict.fromkeys(seen.readings(), 0)
