"""Memory check of Triton kernels: every access is compared with the elements that tensors have.

A lane without a mask that runs past the end of a matrix may do no harm here: its value is
discarded, and the outputs are right. On a GPU it faults sooner or later. So in correctness cases
every access is compared with the elements of the inputs and with the tensors of the launch. An
access to neither is not executed: an invalid store could corrupt the allocator's heap, and then
the only diagnosis would be a signal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
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
from quizprep.worker.learner.gpu_semantics import GpuSemantics
from quizprep.worker.learner.races import RaceDetector
from quizprep.worker.learner.triton_meters import replaced


class AccessChecker:
    """Checks the accesses of kernels in one call."""

    def __init__(
        self,
        memory: Memory,
        args: Sequence[protocol.Arg],
        itemsize: Callable[[str], int],
        path: str,
    ) -> None:
        """memory is the arena with the inputs, itemsize gives the bytes of a dtype, path is the
        submission's file."""
        self.first_invalid: protocol.InvalidAccess | None = None
        self.races = RaceDetector()
        self.semantics = GpuSemantics(self._line)
        self._path = path
        self._inputs: list[tuple[int, int, int, int, int]] = []
        """Of each input: its place, the start and end of its buffer with the guard zones, the
        offsets of its first and last element."""
        inputs = [(place, at) for place, at in enumerate(args) if isinstance(at, protocol.TensorAt)]
        ends = [at.start + at.span * itemsize(at.dtype) for _, at in inputs]
        self._element_starts = np.zeros(max(ends, default=0), dtype=bool)
        """For every byte of the arena, whether an element begins there."""
        self._base = np.frombuffer(memory, np.uint8).ctypes.data
        self._length = len(memory)
        for (place, at), end in zip(inputs, ends, strict=True):
            size = itemsize(at.dtype)
            first = at.start + at.offset * size
            if 0 in at.shape:
                continue
            steps = tuple(stride * size for stride in at.strides)
            as_strided(self._element_starts[first:], at.shape, steps)[...] = True
            reach = zip(at.shape, steps, strict=True)
            last = first + sum((length - 1) * step for length, step in reach)
            self._inputs.append((place, at.start, end, first, last))
        self._launch_tensors: list[tuple[str, int, int]] = []
        """The tensors of the current launch: the kernel's parameter, first byte and end."""

    @contextmanager
    def active(self, as_gpu: str = "") -> Iterator[AccessChecker]:
        """Check the launches inside the block; ``as_gpu`` is that of `protocol.Call`."""
        original: dict[str, Callable[..., Handle]] = dict(vars(Builder))
        init_args: Callable[..., tuple[Any, Any]] = vars(GridExecutor)["_init_args_hst"]

        def create_masked_load(
            builder: Builder, ptrs: Handle, mask: Handle, *rest: object, **named: object
        ) -> Handle:
            mask = self._valid(ptrs, mask, False)
            self._watch(builder, ptrs, mask.data, writes=False)
            return original["create_masked_load"](builder, ptrs, mask, *rest, **named)

        def create_masked_store(
            builder: Builder,
            ptrs: Handle,
            value: Handle,
            mask: Handle,
            *rest: object,
            **named: object,
        ) -> object:
            mask = self._valid(ptrs, mask, True)
            if self.races.first is None:
                there = original["create_masked_load"](builder, ptrs, mask, None, None, False)
                changes = mask.data & (_bits(there.data) != _bits(value.data))
                self._watch(builder, ptrs, changes, writes=True)
            return original["create_masked_store"](builder, ptrs, value, mask, *rest, **named)

        def create_atomic_rmw(
            builder: Builder,
            op: object,
            ptr: Handle,
            val: Handle,
            mask: Handle,
            *rest: object,
            **named: object,
        ) -> Handle:
            mask = self._valid(ptr, mask, True)
            self._watch(builder, ptr, mask.data, writes=True, atomic=True)
            return original["create_atomic_rmw"](builder, op, ptr, val, mask, *rest, **named)

        def create_atomic_cas(
            builder: Builder, ptr: Handle, cmp: Handle, *rest: object, **named: object
        ) -> Handle:
            every = interpreter.TensorHandle(np.ones(ptr.data.shape, dtype=bool), tl.int1)
            if self._valid(ptr, every, True) is every:
                return original["create_atomic_cas"](builder, ptr, cmp, *rest, **named)
            return cmp  # it takes no mask that could disable single lanes

        def _init_args_hst(executor: GridExecutor, args: object, kwargs: object) -> tuple[Any, Any]:
            made = init_args(executor, args, kwargs)
            # Keyword arguments are named already, so there may be fewer positional ones.
            named = [*zip(executor.arg_names, made[0], strict=False), *made[1].items()]
            tensors = [(n, tensor) for n, value in named for tensor in _tensors(value)]
            self._launch_tensors = [(n, *_extent(tensor)) for n, tensor in tensors]
            self.races.begin(tensors)
            return made

        accesses = (create_masked_load, create_masked_store, create_atomic_rmw, create_atomic_cas)
        with (
            replaced(Builder, *accesses),
            replaced(GridExecutor, _init_args_hst),
            self.semantics.active(as_gpu),
        ):
            yield self

    def _watch(
        self,
        builder: Builder,
        ptrs: Handle,
        mask: np.ndarray,
        writes: bool,
        atomic: bool = False,
    ) -> None:
        """Tell the detector of races of an access by the program that is executing."""
        if self.races.first is None:
            used = np.broadcast_to(mask, ptrs.data.shape)
            x, y, z = builder.grid_idx
            program = (x * builder.grid_dim[1] + y) * builder.grid_dim[2] + z
            addresses = ptrs.data.astype(np.int64)[used]
            self.races.access(addresses, program, writes, atomic, self._line)

    def _valid(self, ptrs: Handle, mask: Handle, writes: bool) -> Handle:
        """The mask without the lanes that access no tensor; records the first invalid access.
        Accesses to an input's own guard zones or gaps stay enabled: the arena has that memory."""
        used = np.broadcast_to(mask.data, ptrs.data.shape)
        address = ptrs.data.astype(np.int64)
        at = address - self._base
        in_arena = (at >= 0) & (at < self._length)
        if self.first_invalid is None:
            inside = np.minimum(at[used & in_arena], len(self._element_starts) - 1)
            for offset in inside[~self._element_starts[inside]][:1]:
                self.first_invalid = self._in_buffer(int(offset), ptrs, writes)
        outside = used & ~in_arena
        if not outside.any():
            return mask
        inside_of = [(address >= low) & (address < high) for _, low, high in self._launch_tensors]
        for lanes in inside_of:
            outside &= ~lanes
        if not outside.any():
            return mask
        if self.first_invalid is None:
            self.first_invalid = self._past_end(
                int(address[outside][0]), used, inside_of, ptrs, writes
            )
        return interpreter.TensorHandle(used & ~outside, mask.dtype)

    def _past_end(
        self,
        address: int,
        used: np.ndarray,
        inside_of: Sequence[np.ndarray],
        ptrs: Handle,
        writes: bool,
    ) -> protocol.InvalidAccess:
        """An access outside every tensor, as an overrun of the one that its other lanes access."""
        accessed = [
            tensor
            for tensor, lanes in zip(self._launch_tensors, inside_of, strict=True)
            if (used & lanes).any()
        ]
        if len(accessed) != 1:
            return self._invalid(writes)
        ((name, start, end),) = accessed
        size = _size(ptrs)
        by = (address - end) // size + 1 if address >= end else -(-(address - start) // size)
        return self._invalid(writes, by=by, name=name[:200])

    def _in_buffer(self, offset: int, ptrs: Handle, writes: bool) -> protocol.InvalidAccess:
        """An access to an input's buffer at an offset where no element begins."""
        size = _size(ptrs)
        for place, start, end, first, last in self._inputs:
            if start <= offset < end:
                past = -(-(offset - last) // size) if offset > last else 0
                before = -(-(first - offset) // size) if offset < first else 0
                return self._invalid(writes, arg=place, by=past - before)
        return self._invalid(writes)

    def _invalid(
        self, writes: bool, arg: int = -1, by: int = 0, name: str = ""
    ) -> protocol.InvalidAccess:
        """An invalid access by the line of the submission that is executing."""
        return protocol.InvalidAccess(arg=arg, name=name, by=by, writes=writes, line=self._line())

    def _line(self) -> int:
        """The line of the submission that is executing; 0 if there is none."""
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_code.co_filename != self._path:
            frame = frame.f_back
        return frame.f_lineno if frame is not None else 0


def _bits(values: np.ndarray) -> np.ndarray:
    """The values as integers: NaN equals itself, and 0 is not -0."""
    contiguous = np.ascontiguousarray(values)
    return contiguous.view(f"u{contiguous.itemsize}").reshape(values.shape)


def _size(ptrs: Handle) -> int:
    """Bytes of the elements that the pointers point to."""
    return max(ptrs.get_element_ty().primitive_bitwidth // 8, 1)


def _tensors(values: Any) -> list[torch.Tensor]:
    """Every tensor among the arguments of a launch."""
    if isinstance(values, list | tuple):
        return [tensor for value in values for tensor in _tensors(value)]
    values = getattr(values, "base", values)
    return [values] if hasattr(values, "untyped_storage") else []


def _extent(tensor: torch.Tensor) -> tuple[int, int]:
    """The addresses of the first byte and of the end of a tensor's storage."""
    storage = tensor.untyped_storage()
    return storage.data_ptr(), storage.data_ptr() + storage.nbytes()
