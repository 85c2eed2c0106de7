"""Where a Triton kernel reads and writes, watched in the interpreter.

A lane without a mask that runs past the end of a matrix may do no harm: what it read is thrown
away, and the outputs are right. On a GPU it faults, some day. So every access in a correctness
case is held against the elements that inputs have, and against the tensors of the launch. What
lies in none of them is neither read nor written: a result without a mask would end the process
in its allocator, and all that could be told is a signal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Any

import numpy as np
import torch
import triton.language as tl
from numpy.lib.stride_tricks import as_strided
from triton.runtime import interpreter
from triton.runtime.interpreter import GridExecutor
from triton.runtime.interpreter import InterpreterBuilder as Builder
from triton.runtime.interpreter import TensorHandle as Handle

from quizprep.worker import protocol
from quizprep.worker.backends import Memory


class Bounds:
    """Watches the launches inside the block; ``stray`` is the first access that has no element."""

    def __init__(
        self,
        memory: Memory,
        args: Sequence[protocol.Arg],
        itemsize: Callable[[str], int],
        path: str,
    ) -> None:
        """memory is the arena with the inputs, itemsize gives the bytes of a dtype, path is the
        submission's file."""
        self.stray: protocol.Stray | None = None
        self._path = path
        self._zones: list[tuple[int, int, int, int, int]] = []
        """By input: its place, its zone's first and last byte, its first and last element's."""
        inputs = [(place, at) for place, at in enumerate(args) if isinstance(at, protocol.TensorAt)]
        ends = [at.start + at.span * itemsize(at.dtype) for _, at in inputs]
        self._elements = np.zeros(max(ends, default=0), dtype=bool)
        """Of every byte of the arena, whether an element begins there."""
        self._base = np.frombuffer(memory, np.uint8).ctypes.data
        self._length = len(memory)
        for (place, at), end in zip(inputs, ends, strict=True):
            size = itemsize(at.dtype)
            first = at.start + at.offset * size
            if 0 in at.shape:
                continue
            steps = tuple(stride * size for stride in at.strides)
            as_strided(self._elements[first:], at.shape, steps)[...] = True
            reach = zip(at.shape, steps, strict=True)
            last = first + sum((length - 1) * step for length, step in reach)
            self._zones.append((place, at.start, end, first, last))
        self._own: list[tuple[str, int, int]] = []
        """Of the tensors of the launch, the kernel's name, the first byte and the end."""

    def __enter__(self) -> Bounds:
        builder, executor = type(interpreter.interpreter_builder), interpreter.GridExecutor
        names = (
            "create_masked_load",
            "create_masked_store",
            "create_atomic_rmw",
            "create_atomic_cas",
        )
        self._originals = [(builder, name, builder.__dict__[name]) for name in names]
        self._originals.append((executor, "_init_args_hst", executor.__dict__["_init_args_hst"]))
        load, store, rmw, cas, arguments = (original for _, _, original in self._originals)

        def masked_load(builder: Builder, ptrs: Handle, mask: Handle, *rest: object) -> Handle:
            return load(builder, ptrs, self._looked(ptrs, mask, False), *rest)

        def masked_store(
            builder: Builder,
            ptrs: Handle,
            value: Handle,
            mask: Handle,
            *rest: object,
        ) -> object:
            return store(builder, ptrs, value, self._looked(ptrs, mask, True), *rest)

        def atomic_rmw(
            builder: Builder,
            op: object,
            ptr: Handle,
            val: Handle,
            mask: Handle,
            *rest: object,
        ) -> Handle:
            return rmw(builder, op, ptr, val, self._looked(ptr, mask, True), *rest)

        def atomic_cas(builder: Builder, ptr: Handle, cmp: Handle, *rest: object) -> Handle:
            every = interpreter.TensorHandle(np.ones(ptr.data.shape, dtype=bool), tl.int1)
            made = self._looked(ptr, every, True) is every
            # There is no mask to leave lanes out with.
            return cas(builder, ptr, cmp, *rest) if made else cmp

        def init_args(executor: GridExecutor, args: object, kwargs: object) -> tuple[Any, Any]:
            made = arguments(executor, args, kwargs)
            # Some come by name, so there may be fewer that come by place.
            named = [*zip(executor.arg_names, made[0], strict=False), *made[1].items()]
            self._own = [(n, *_storage(t)) for n, value in named for t in _tensors(value)]
            return made

        for (owner, name, _), method in zip(
            self._originals,
            (masked_load, masked_store, atomic_rmw, atomic_cas, init_args),
            strict=True,
        ):
            setattr(owner, name, method)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for owner, name, original in self._originals:
            setattr(owner, name, original)

    def _looked(self, ptrs: Handle, mask: Handle, writes: bool) -> Handle:
        """The mask of the lanes that may be read or written; notes the first that strays."""
        used = np.broadcast_to(mask.data, ptrs.data.shape)
        address = ptrs.data.astype(np.int64)
        at = address - self._base
        shared = (at >= 0) & (at < self._length)
        if self.stray is None:
            inside = np.minimum(at[used & shared], len(self._elements) - 1)
            for offset in inside[~self._elements[inside]][:1]:
                self.stray = self._beside(int(offset), ptrs, writes)
        outside = used & ~shared
        if not outside.any():
            return mask
        owned = [(address >= start) & (address < end) for _, start, end in self._own]
        for lanes in owned:
            outside &= ~lanes
        if not outside.any():
            return mask
        if self.stray is None:
            self.stray = self._past(int(address[outside][0]), used, owned, ptrs, writes)
        return interpreter.TensorHandle(used & ~outside, mask.dtype)

    def _past(
        self,
        address: int,
        used: np.ndarray,
        owned: Sequence[np.ndarray],
        ptrs: Handle,
        writes: bool,
    ) -> protocol.Stray:
        """An access outside every tensor, with the name of the one that its other lanes are in."""
        met = [own for own, lanes in zip(self._own, owned, strict=True) if (used & lanes).any()]
        if len(met) != 1:
            return protocol.Stray(arg=-1, by=0, writes=writes, line=self._line())
        ((name, start, end),) = met
        size = _size(ptrs)
        by = (address - end) // size + 1 if address >= end else -(-(address - start) // size)
        return protocol.Stray(arg=-1, name=name[:200], by=by, writes=writes, line=self._line())

    def _beside(self, offset: int, ptrs: Handle, writes: bool) -> protocol.Stray:
        """An access in the zone of an input where it has no element."""
        size = _size(ptrs)
        for place, start, end, first, last in self._zones:
            if start <= offset < end:
                past = -(-(offset - last) // size) if offset > last else 0
                before = -(-(first - offset) // size) if offset < first else 0
                return protocol.Stray(arg=place, by=past - before, writes=writes, line=self._line())
        return protocol.Stray(arg=-1, by=0, writes=writes, line=self._line())

    def _line(self) -> int:
        """The line of the submission that is at work, or 0."""
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_code.co_filename != self._path:
            frame = frame.f_back
        return frame.f_lineno if frame is not None else 0


def _size(ptrs: Handle) -> int:
    """Bytes of an element that is pointed to."""
    return max(ptrs.get_element_ty().primitive_bitwidth // 8, 1)


def _tensors(values: Any) -> list[torch.Tensor]:
    """Every tensor among the arguments of a launch."""
    if isinstance(values, list | tuple):
        return [tensor for value in values for tensor in _tensors(value)]
    values = getattr(values, "base", values)
    return [values] if hasattr(values, "untyped_storage") else []


def _storage(tensor: torch.Tensor) -> tuple[int, int]:
    storage = tensor.untyped_storage()
    return storage.data_ptr(), storage.data_ptr() + storage.nbytes()
