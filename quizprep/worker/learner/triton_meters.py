"""Meters of Triton kernels: their accesses to main memory and their arithmetic.

Every load, store, descriptor and atomic access of a kernel ends in two methods of the builder of
Triton's interpreter. Counting there gives exactly the bytes of the lanes that no mask disables, and
excludes the host's own copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from triton.runtime.interpreter import InterpreterBuilder as Builder
from triton.runtime.interpreter import TensorHandle as Handle

from quizprep.worker.learner.lines import LineLedger


class KernelCounters:
    """What kernels have done so far.

    read, written  bytes
    flops          of tile products (``tl.dot``); ``work`` is all other arithmetic
    """

    def __init__(self, path: str = "") -> None:
        """``path`` is the submission's file, for its lines; without it none are told apart."""
        self.ledger = LineLedger(path) if path else None
        self.read = 0
        self.written = 0
        self.flops = 0
        self.work = 0
        self.programs = 0
        self.launches = 0

    def count(self, flops: int = 0, read: int = 0, written: int = 0) -> None:
        """Count a tile product or an access to memory, for the line that is executing."""
        self.flops += flops
        self.read += read
        self.written += written
        if self.ledger is not None:
            self.ledger.add(self.ledger.here()[0], flops, 0, read + written)

    def readings(self) -> dict[str, int]:
        """The readings by meter."""
        return {
            "moved_bytes": self.read + self.written,
            "flops": self.flops,
            "calls": self.programs,
            "launches": self.launches,
            "kernel_work": self.flops + self.work,
        }


@contextmanager
def replaced(owner: type, *methods: Callable[..., object]) -> Iterator[None]:
    """Replace the methods of the same names in a class while inside the block."""
    originals = {method.__name__: owner.__dict__[method.__name__] for method in methods}
    for method in methods:
        setattr(owner, method.__name__, method)
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(owner, name, original)


def _multiplies_tiles(op: object, product: np.ndarray) -> bool:
    """Whether an integer operation is arithmetic on data, not on addresses.

    An address is a row index times a stride plus a column index times another; the products in it
    are longer than 1 in one axis at most.
    """
    return op is np.multiply and sum(length > 1 for length in product.shape) > 1


@contextmanager
def counting(path: str = "") -> Iterator[KernelCounters]:
    """Count what kernels do inside the block."""
    counters = KernelCounters(path)
    original: dict[str, Callable[..., Handle]] = dict(vars(Builder))

    def create_masked_load(
        self: Builder, ptrs: Handle, mask: Handle, *rest: object, **named: object
    ) -> Handle:
        result = original["create_masked_load"](self, ptrs, mask, *rest, **named)
        counters.count(read=int(np.count_nonzero(mask.data)) * result.data.itemsize)
        return result

    def create_masked_store(
        self: Builder, ptrs: Handle, value: Handle, mask: Handle, *rest: object, **named: object
    ) -> object:
        lanes = np.count_nonzero(np.broadcast_to(mask.data, ptrs.data.shape))
        counters.count(written=int(lanes) * value.data.itemsize)
        return original["create_masked_store"](self, ptrs, value, mask, *rest, **named)

    def create_atomic_rmw(
        self: Builder,
        op: object,
        ptr: Handle,
        val: Handle,
        mask: Handle,
        *rest: object,
        **named: object,
    ) -> Handle:
        size = int(np.count_nonzero(mask.data)) * val.data.itemsize
        counters.count(read=size, written=size)
        return original["create_atomic_rmw"](self, op, ptr, val, mask, *rest, **named)

    def create_atomic_cas(
        self: Builder, ptr: Handle, cmp: Handle, val: Handle, *rest: object, **named: object
    ) -> Handle:
        counters.count(read=val.data.nbytes, written=val.data.nbytes)
        return original["create_atomic_cas"](self, ptr, cmp, val, *rest, **named)

    def create_dot(self: Builder, a: Handle, b: Handle, *rest: object, **named: object) -> Handle:
        counters.count(flops=2 * a.data.size * b.data.shape[-1])
        return original["create_dot"](self, a, b, *rest, **named)

    def unary_op(self: Builder, arg: Handle, op: object) -> Handle:
        result = original["unary_op"](self, arg, op)
        if result.data.dtype.kind == "f":
            counters.work += result.data.size
        return result

    def binary_op(self: Builder, lhs: Handle, rhs: Handle, op: object) -> Handle:
        result = original["binary_op"](self, lhs, rhs, op)
        if result.data.dtype.kind == "f" or _multiplies_tiles(op, result.data):
            counters.work += result.data.size
        return result

    def set_grid_idx(self: Builder, *index: object) -> object:
        counters.programs += 1
        return original["set_grid_idx"](self, *index)

    def set_grid_dim(self: Builder, *size: object) -> object:
        counters.launches += 1
        return original["set_grid_dim"](self, *size)

    with replaced(
        Builder,
        create_masked_load,
        create_masked_store,
        create_atomic_rmw,
        create_atomic_cas,
        create_dot,
        unary_op,
        binary_op,
        set_grid_idx,
        set_grid_dim,
    ):
        yield counters
