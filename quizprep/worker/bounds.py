"""Where a Triton kernel reads and writes, watched in the interpreter.

A lane without a mask that runs past the end of a matrix may do no harm: what it read is thrown
away, and the outputs are right. On a GPU it faults, some day. So every access in a correctness
case is held against the elements that inputs have, and against the tensors of the launch.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from triton.runtime import interpreter

from quizprep.grading import wire


class Bounds:
    """Watches the launches inside the block; ``stray`` is the first access that has no element."""

    def __init__(self, memory: Any, args: Sequence[wire.Arg], itemsize: Any, path: str) -> None:
        """memory is the arena with the inputs, itemsize gives the bytes of a dtype, path is the
        submission's file."""
        self.stray: wire.Stray | None = None
        self._path = path
        self._zones: list[tuple[int, int, int, int, int]] = []
        """By input: its place, its zone's first and last byte, its first and last element's."""
        inputs = [(place, at) for place, at in enumerate(args) if isinstance(at, wire.TensorAt)]
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
        self._own: list[tuple[int, int]] = []
        """First byte and end of the other tensors of the launch."""

    def __enter__(self) -> Bounds:
        builder, executor = type(interpreter.interpreter_builder), interpreter.GridExecutor
        names = ("create_masked_load", "create_masked_store", "create_atomic_rmw")
        self._originals = [(builder, name, builder.__dict__[name]) for name in names]
        self._originals.append((executor, "_init_args_hst", executor.__dict__["_init_args_hst"]))
        load, store, rmw, arguments = (original for _, _, original in self._originals)

        def masked_load(builder: Any, ptrs: Any, mask: Any, *rest: Any) -> Any:
            self._look(ptrs, mask, False)
            return load(builder, ptrs, mask, *rest)

        def masked_store(builder: Any, ptrs: Any, value: Any, mask: Any, *rest: Any) -> Any:
            self._look(ptrs, mask, True)
            return store(builder, ptrs, value, mask, *rest)

        def atomic_rmw(builder: Any, op: Any, ptr: Any, val: Any, mask: Any, *rest: Any) -> Any:
            self._look(ptr, mask, True)
            return rmw(builder, op, ptr, val, mask, *rest)

        def init_args(executor: Any, args: Any, kwargs: Any) -> Any:
            made = arguments(executor, args, kwargs)
            self._own = [_storage(t) for t in _tensors((made[0], list(made[1].values())))]
            return made

        for (owner, name, _), method in zip(
            self._originals, (masked_load, masked_store, atomic_rmw, init_args), strict=True
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

    def _look(self, ptrs: Any, mask: Any, writes: bool) -> None:
        if self.stray is not None:
            return
        used = np.broadcast_to(mask.data, ptrs.data.shape)
        at = ptrs.data[used].astype(np.int64) - self._base
        shared = (at >= 0) & (at < self._length)
        inside = np.minimum(at[shared], len(self._elements) - 1)
        for offset in inside[~self._elements[inside]][:1]:
            self.stray = self._beside(int(offset), ptrs, writes)
            return
        for address in at[~shared] + self._base:
            if not any(start <= address < end for start, end in self._own):
                self.stray = wire.Stray(arg=-1, by=0, writes=writes, line=self._line())
                return

    def _beside(self, offset: int, ptrs: Any, writes: bool) -> wire.Stray:
        """An access in the zone of an input where it has no element."""
        size = max(ptrs.get_element_ty().primitive_bitwidth // 8, 1)
        for place, start, end, first, last in self._zones:
            if start <= offset < end:
                past = -(-(offset - last) // size) if offset > last else 0
                before = -(-(first - offset) // size) if offset < first else 0
                return wire.Stray(arg=place, by=past - before, writes=writes, line=self._line())
        return wire.Stray(arg=-1, by=0, writes=writes, line=self._line())

    def _line(self) -> int:
        """The line of the submission that is at work, or 0."""
        frame: Any = sys._getframe()
        while frame is not None and frame.f_code.co_filename != self._path:
            frame = frame.f_back
        return frame.f_lineno if frame is not None else 0


def _tensors(values: Any) -> list[Any]:
    """Every tensor among the arguments of a launch."""
    if isinstance(values, list | tuple):
        return [tensor for value in values for tensor in _tensors(value)]
    values = getattr(values, "base", values)
    return [values] if hasattr(values, "untyped_storage") else []


def _storage(tensor: Any) -> tuple[int, int]:
    storage = tensor.untyped_storage()
    return storage.data_ptr(), storage.data_ptr() + storage.nbytes()
