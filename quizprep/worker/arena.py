"""The shared memory through which inputs reach the learner.

The judge lays inputs out in private memory, copies them into a sealed memfd, and the learner
maps that. Strides survive, the learner copies nothing, and what it changed is found by
comparing the arena with the judge's own bytes. The seals forbid shrinking, which would
otherwise let a learner kill the judge with a truncated mapping.
"""

from __future__ import annotations

import fcntl
import math
import mmap
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from quizprep.worker.protocol import Plain, TensorAt

ARENA_BYTES = 256 << 20
"""Address space only: pages exist once they are written."""

GUARD = 2048
"""Elements before and behind an input, so that what a read past its ends finds is known: a
faulty kernel and its model then agree."""

ALIGN = 64


def create() -> int:
    """A sealed memfd of ARENA_BYTES; inherited by the two children."""
    fd = os.memfd_create("quizprep-inputs", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, ARENA_BYTES)
    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def attach(fd: int) -> mmap.mmap:
    """Map the arena, shared and writable."""
    return mmap.mmap(fd, ARENA_BYTES)


@dataclass(frozen=True)
class Laid:
    """Inputs of one call: where each lies, and the private bytes they were built in."""

    args: tuple[TensorAt | Plain, ...]
    names: tuple[str, ...]
    memory: bytearray
    gradients: tuple[int, ...] = ()
    cotangents: tuple[TensorAt, ...] = ()

    def views(self, backend: Any) -> tuple[Any, ...]:
        """The arguments, as arrays over the private bytes."""
        return tuple(
            backend.view(self.memory, a) if isinstance(a, TensorAt) else a.value for a in self.args
        )


def moved(at: TensorAt, by: int) -> TensorAt:
    """The same so many bytes further on."""
    return msgspec.structs.replace(at, start=at.start + by) if by else at


def lay_out(inputs: Mapping[str, Any], backend: Any, dtype: str, layout: str, guards: bool) -> Laid:
    """Place inputs in memory in the given layout.

    contiguous  as they are
    permuted    the axes in another order in memory, so that strides are not descending
    strided     every second element of the last axis, with NaN in the gaps

    Each input lies between two zones. With ``guards`` they hold NaN (extreme values for
    integers), which shows a read past the end as the gaps show a read of them; without, they
    hold ones, so that what is read there has a value.
    """
    args: list[TensorAt | Plain] = []
    places: list[tuple[TensorAt, np.ndarray]] = []
    end = 0
    for value in inputs.values():
        if not isinstance(value, np.ndarray):
            args.append(Plain(value=value))
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
    # Of ones only: NaN in every floating dtype, and cheaper than to write it into each input.
    memory = bytearray(b"\xff") * end
    for at, value in places:
        backend.fill(memory, at, value, None if guards else GUARD)
    return Laid(tuple(args), tuple(inputs), memory)


def _strides(shape: Sequence[int], layout: str) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """The strides in elements of a layout and the elements it spans."""
    step = 2 if layout == "strided" else 1
    order = list(range(len(shape)))
    if layout == "permuted" and len(order) > 1:
        # The last axis stays innermost for tensors of three and more axes, as after
        # x.view(b, n, h, d).transpose(1, 2); a matrix is stored transposed.
        order = [1, 0] if len(order) == 2 else [0, *range(len(order) - 2, 0, -1), len(order) - 1]
    strides = [0] * len(shape)
    reach = step
    for axis in reversed(order):
        strides[axis] = reach
        reach *= max(shape[axis], 1)
    count = math.prod(shape)
    return tuple(shape), tuple(strides), count * step if count else 0
