"""What a Triton kernel asks of main memory, counted in Triton's own interpreter.

Every load, store, descriptor and atomic access of a kernel ends in two methods of the
interpreter's builder; counting there gives the bytes of the lanes that no mask switched off,
exactly, and nothing of the host's own copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from triton.runtime import interpreter
from triton.runtime.interpreter import InterpreterBuilder as Builder
from triton.runtime.interpreter import TensorHandle as Handle


class Traffic:
    """Bytes read and written by kernels, their products and other arithmetic, their programs."""

    def __init__(self) -> None:
        self.read = 0
        self.written = 0
        self.flops = 0
        self.work = 0
        self.programs = 0
        self.launches = 0

    def readings(self) -> dict[str, int]:
        """The readings by meter."""
        return {
            "moved_bytes": self.read + self.written,
            "flops": self.flops,
            "calls": self.programs,
            "launches": self.launches,
            "kernel_work": self.flops + self.work,
        }


def _multiplies_tiles(op: object, product: np.ndarray) -> bool:
    """Whether an operation is arithmetic of integer data, and not of addresses.

    An address is a row's place times one stride plus a column's times another: what is multiplied
    there is long in one axis at most.
    """
    return op is np.multiply and sum(length > 1 for length in product.shape) > 1


@contextmanager
def counting() -> Iterator[Traffic]:
    """Count what kernels do inside the block."""
    traffic = Traffic()
    builder = interpreter.interpreter_builder
    kind = type(builder)
    original = {
        name: kind.__dict__[name]
        for name in (
            "create_masked_load",
            "create_masked_store",
            "create_atomic_rmw",
            "create_atomic_cas",
            "create_dot",
            "unary_op",
            "binary_op",
            "set_grid_idx",
            "set_grid_dim",
        )
    }

    def masked_load(self: Builder, ptrs: Handle, mask: Handle, *rest: object) -> Handle:
        result = original["create_masked_load"](self, ptrs, mask, *rest)
        traffic.read += int(np.count_nonzero(mask.data)) * result.data.itemsize
        return result

    def masked_store(
        self: Builder,
        ptrs: Handle,
        value: Handle,
        mask: Handle,
        *rest: object,
    ) -> object:
        lanes = np.count_nonzero(np.broadcast_to(mask.data, ptrs.data.shape))
        traffic.written += int(lanes) * value.data.itemsize
        return original["create_masked_store"](self, ptrs, value, mask, *rest)

    def atomic_rmw(
        self: Builder,
        op: object,
        ptr: Handle,
        val: Handle,
        mask: Handle,
        *rest: object,
    ) -> Handle:
        size = int(np.count_nonzero(mask.data)) * val.data.itemsize
        traffic.read += size
        traffic.written += size
        return original["create_atomic_rmw"](self, op, ptr, val, mask, *rest)

    def atomic_cas(
        self: Builder,
        ptr: Handle,
        cmp: Handle,
        val: Handle,
        *rest: object,
    ) -> Handle:
        traffic.read += val.data.nbytes
        traffic.written += val.data.nbytes
        return original["create_atomic_cas"](self, ptr, cmp, val, *rest)

    def dot(self: Builder, a: Handle, b: Handle, *rest: object) -> Handle:
        traffic.flops += 2 * a.data.size * b.data.shape[-1]
        return original["create_dot"](self, a, b, *rest)

    def unary(self: Builder, arg: Handle, op: object) -> Handle:
        result = original["unary_op"](self, arg, op)
        if result.data.dtype.kind == "f":
            traffic.work += result.data.size
        return result

    def binary(self: Builder, lhs: Handle, rhs: Handle, op: object) -> Handle:
        result = original["binary_op"](self, lhs, rhs, op)
        if result.data.dtype.kind == "f" or _multiplies_tiles(op, result.data):
            traffic.work += result.data.size
        return result

    def grid_idx(self: Builder, *place: object) -> object:
        traffic.programs += 1
        return original["set_grid_idx"](self, *place)

    def grid_dim(self: Builder, *size: object) -> object:
        traffic.launches += 1
        return original["set_grid_dim"](self, *size)

    counters = {
        "create_masked_load": masked_load,
        "create_masked_store": masked_store,
        "create_atomic_rmw": atomic_rmw,
        "create_atomic_cas": atomic_cas,
        "create_dot": dot,
        "unary_op": unary,
        "binary_op": binary,
        "set_grid_idx": grid_idx,
        "set_grid_dim": grid_dim,
    }
    for name, method in counters.items():
        setattr(kind, name, method)
    try:
        yield traffic
    finally:
        for name, method in original.items():
            setattr(kind, name, method)
