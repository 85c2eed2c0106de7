"""The shared memory through which inputs reach the learner.

The judge builds inputs in private memory and copies them into a sealed memfd, which the learner
maps. Strides survive, the learner copies nothing, and a modified input is found by comparing the
arena with the judge's own bytes. The memfd is sealed against shrinking: otherwise a learner could
kill the judge by truncating a file that both map.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from quizprep.worker.backends import Array, Backend
from quizprep.worker.protocol import ListArg, ScalarArg, TensorAt

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


Placed = TensorAt | ScalarArg | ListArg
"""An input of a call; a list holds numbers."""


@dataclass(frozen=True)
class PlacedInputs:
    """The inputs of one call, placed in memory: the layout of each, and the private bytes that hold
    them.

    gradients, cotangents  as in `protocol.Call`
    """

    args: tuple[Placed, ...]
    names: tuple[str, ...]
    memory: bytearray
    gradients: tuple[int, ...] = ()
    cotangents: tuple[TensorAt, ...] = ()

    def views(self, backend: Backend) -> tuple[Array, ...]:
        """The arguments, arrays being views of the private bytes."""
        return tuple(self._value(backend, argument) for argument in self.args)

    def _value(self, backend: Backend, argument: Placed) -> Array:
        match argument:
            case TensorAt():
                return backend.view(self.memory, argument)
            case ListArg():
                return [item.value for item in argument.items if isinstance(item, ScalarArg)]
            case ScalarArg():
                return argument.value


def moved(at: TensorAt, by: int) -> TensorAt:
    """The same input, starting ``by`` bytes further on."""
    return msgspec.structs.replace(at, start=at.start + by) if by else at


def side_by_side(one: PlacedInputs, two: PlacedInputs) -> PlacedInputs:
    """The inputs of two calls in one piece of memory, those of the first in front."""
    start = len(one.memory)
    args = tuple(moved(at, start) if isinstance(at, TensorAt) else at for at in two.args)
    return PlacedInputs((*one.args, *args), (*one.names, *two.names), one.memory + two.memory)


EACH_LAYOUT = ("permuted", "strided", "pitched", "contiguous")
"""What the inputs of a ``mixed`` layout have, in turn."""

PITCH = 3
"""Elements between two rows of a pitched layout."""


def lay_out(
    inputs: Mapping[str, Array],
    backend: Backend,
    dtype: str,
    layout: str,
    guards: bool,
    seed: int = 0,
) -> PlacedInputs:
    """Place inputs in private memory in the given layout.

    contiguous  row-major
    permuted    with another order of axes in memory, so that strides are not descending
    strided     every second element of the last axis, with NaN in the gaps
    pitched     rows of the last axis apart, as in a slice of wider rows, with NaN in the gaps
    mixed       each input in one of these, neighbours in different ones; which one, says ``seed``

    Each input lies between two guard zones. With ``guards`` these hold NaN (for integers, the
    dtype's largest value), which exposes reads past the end as the gaps expose reads between
    elements; without, they hold ones, so that such a read gives a finite value.
    """
    args: list[Placed] = []
    places: list[tuple[TensorAt, np.ndarray]] = []
    end = 0
    for value in inputs.values():
        if isinstance(value, list):
            args.append(ListArg(items=tuple(ScalarArg(value=item) for item in value)))
            continue
        if not isinstance(value, np.ndarray):
            args.append(ScalarArg(value=value))
            continue
        kind = dtype if value.dtype.kind == "f" else str(value.dtype)
        own = EACH_LAYOUT[(seed + len(places)) % 4] if layout == "mixed" else layout
        strides = _strides(value.shape, own)
        reach = zip(value.shape, strides, strict=True)
        span = 1 + sum((size - 1) * step for size, step in reach) if value.size else 0
        at = TensorAt(
            dtype=kind,
            start=end,
            span=span + 2 * GUARD,
            offset=GUARD,
            shape=tuple(value.shape),
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


def _strides(shape: Sequence[int], layout: str) -> tuple[int, ...]:
    """The strides of a layout, in elements."""
    order = list(range(len(shape)))
    if layout == "permuted" and len(order) > 1:
        # Tensors of three axes or more keep their last axis innermost, as after
        # x.view(b, n, h, d).transpose(1, 2); a matrix is stored transposed.
        order = [1, 0] if len(order) == 2 else [0, *range(len(order) - 2, 0, -1), len(order) - 1]
    strides = [0] * len(shape)
    step = 2 if layout == "strided" else 1
    for axis in reversed(order):
        strides[axis] = step
        step *= max(shape[axis], 1)
        if layout == "pitched" and axis == len(shape) - 1:
            step += PITCH
    return tuple(strides)
