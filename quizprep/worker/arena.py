"""The shared memory through which inputs reach the learner.

The judge builds inputs in private memory and copies them into a sealed memfd, which the learner
maps. Strides survive, the learner copies nothing, and a modified input is found by comparing the
arena with the judge's own bytes. The memfd is sealed against shrinking: otherwise a learner could
kill the judge by truncating a file that both map.
"""

from __future__ import annotations

import fcntl
import math
import mmap
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from quizprep.worker.backends import Array, Backend
from quizprep.worker.protocol import ScalarArg, TensorAt

ARENA_BYTES = 256 << 20
"""Address space only: pages are allocated when they are first written."""

GUARD = 2048
"""Elements of the guard zone (red zone) at each end of an input. An out-of-bounds read within it
has a defined value, so that a faulty kernel and the model of its mistake agree."""

ALIGN = 64


def create() -> int:
    """A sealed memfd of ARENA_BYTES, which both children inherit."""
    fd = os.memfd_create("quizprep-inputs", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, ARENA_BYTES)
    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def attach(fd: int) -> mmap.mmap:
    """Map the arena, shared and writable."""
    return mmap.mmap(fd, ARENA_BYTES)


@dataclass(frozen=True)
class PlacedInputs:
    """The inputs of one call, placed in memory: the layout of each, and the private bytes that hold
    them.

    gradients, cotangents  as in `protocol.Call`
    """

    args: tuple[TensorAt | ScalarArg, ...]
    names: tuple[str, ...]
    memory: bytearray
    gradients: tuple[int, ...] = ()
    cotangents: tuple[TensorAt, ...] = ()

    def views(self, backend: Backend) -> tuple[Array, ...]:
        """The arguments, arrays being views of the private bytes."""
        return tuple(
            backend.view(self.memory, a) if isinstance(a, TensorAt) else a.value for a in self.args
        )


def moved(at: TensorAt, by: int) -> TensorAt:
    """The same input, starting ``by`` bytes further on."""
    return msgspec.structs.replace(at, start=at.start + by) if by else at


def lay_out(
    inputs: Mapping[str, Array], backend: Backend, dtype: str, layout: str, guards: bool
) -> PlacedInputs:
    """Place inputs in private memory in the given layout.

    contiguous  row-major
    permuted    with another order of axes in memory, so that strides are not descending
    strided     every second element of the last axis, with NaN in the gaps

    Each input lies between two guard zones. With ``guards`` these hold NaN (for integers, the
    dtype's
    largest value), which exposes reads past the end as the gaps expose reads between elements;
    without,
    they hold ones, so that such a read gives a finite value.
    """
    args: list[TensorAt | ScalarArg] = []
    places: list[tuple[TensorAt, np.ndarray]] = []
    end = 0
    for value in inputs.values():
        if not isinstance(value, np.ndarray):
            args.append(ScalarArg(value=value))
            continue
        kind = dtype if value.dtype.kind == "f" else str(value.dtype)
        shape, strides, span = _strides(value.shape, layout)
        at = TensorAt(
            dtype=kind,
            start=end,
            span=span + 2 * GUARD,
            offset=GUARD,
            shape=shape,
            strides=strides,
        )
        size = backend.itemsize(kind)
        end += -(-(at.span * size) // ALIGN) * ALIGN
        args.append(at)
        places.append((at, value))
    # All bits set is NaN in every floating dtype, and faster than filling each input.
    memory = bytearray(b"\xff") * end
    for at, value in places:
        backend.fill(memory, at, value, None if guards else GUARD)
    return PlacedInputs(tuple(args), tuple(inputs), memory)


def _strides(shape: Sequence[int], layout: str) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Shape, strides and span of a layout, in elements."""
    step = 2 if layout == "strided" else 1
    order = list(range(len(shape)))
    if layout == "permuted" and len(order) > 1:
        # Tensors of three axes or more keep their last axis innermost, as after
        # x.view(b, n, h, d).transpose(1, 2); a matrix is stored transposed.
        order = [1, 0] if len(order) == 2 else [0, *range(len(order) - 2, 0, -1), len(order) - 1]
    strides = [0] * len(shape)
    reach = step
    for axis in reversed(order):
        strides[axis] = reach
        reach *= max(shape[axis], 1)
    count = math.prod(shape)
    return tuple(shape), tuple(strides), count * step if count else 0
