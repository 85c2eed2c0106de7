"""Where Triton's interpreter gives more than a GPU does.

Masked lanes of a load without ``other`` are zeros in the interpreter; on a GPU they may hold
anything. A product of float32 tiles is exact to float32 in the interpreter; on a GPU its factors
are rounded to TF32, which has 10 bits of fraction, unless ``input_precision`` says otherwise. The
programs of a launch run one after the other in the interpreter; on a GPU they run in no order. All
three are noted in every call, and one of them is done as on a GPU in a call that asks for it, with
NaN, or 1 among integers, for "anything", and with the opposite order for none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import triton.language as tl
from triton.runtime.interpreter import InterpreterBuilder as Builder
from triton.runtime.interpreter import TensorHandle as Handle

from quizprep.worker import protocol
from quizprep.worker.learner.triton_meters import replaced

DROPPED_BITS = 13
"""Of the 23 bits of a float32's fraction, those that TF32 has not."""


class GpuSemantics:
    """What one call uses that is otherwise on a GPU: the first line of each kind."""

    def __init__(self, line: Callable[[], int]) -> None:
        """``line`` gives the line of the submission that is executing."""
        self._line = line
        self._found: dict[protocol.GpuKind, int] = {}

    def found(self) -> tuple[protocol.UnlikeGpu, ...]:
        """The kinds that occurred, each with its first line."""
        return tuple(protocol.UnlikeGpu(kind=k, line=line) for k, line in self._found.items())

    @contextmanager
    def active(self, as_gpu: str) -> Iterator[GpuSemantics]:
        """Note what the launches inside the block use; what is of the kind ``as_gpu`` is done as on
        a GPU."""
        original: dict[str, Callable[..., Handle]] = dict(vars(Builder))

        def create_masked_load(
            builder: Builder, ptrs: Handle, mask: Handle, other: Handle | None, *rest: object,
            **named: object,
        ) -> Handle:  # fmt: skip
            loaded = original["create_masked_load"](builder, ptrs, mask, other, *rest, **named)
            if other is None and not mask.data.all():
                self._note("unfilled")
                if as_gpu == "unfilled":
                    anything = np.nan if loaded.data.dtype.kind == "f" else 1
                    lanes = np.broadcast_to(mask.data, loaded.data.shape)
                    loaded.data = np.where(lanes, loaded.data, loaded.data.dtype.type(anything))
            return loaded

        def create_dot(
            builder: Builder, a: Handle, b: Handle, d: Handle, precision: object, *rest: object
        ) -> Handle:
            single = a.dtype.scalar == b.dtype.scalar == tl.float32
            if single and getattr(precision, "name", "") == "TF32":
                self._note("tf32")
                if as_gpu == "tf32":
                    a, b = (Handle(tf32(each.data), each.dtype) for each in (a, b))
            return original["create_dot"](builder, a, b, d, precision, *rest)

        def set_grid_idx(builder: Builder, *index: int) -> object:
            sizes = builder.grid_dim
            if math.prod(sizes) > 1:
                self._found.setdefault("order", 0)
                if as_gpu == "order":
                    index = tuple(size - 1 - at for size, at in zip(sizes, index, strict=True))
            return original["set_grid_idx"](builder, *index)

        with replaced(Builder, create_masked_load, create_dot, set_grid_idx):
            yield self

    def _note(self, kind: protocol.GpuKind) -> None:
        if kind not in self._found:
            self._found[kind] = self._line()


def tf32(values: np.ndarray) -> np.ndarray:
    """float32 values rounded to the nearest TF32, ties to even; inf and NaN stay."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    half = np.uint32((1 << (DROPPED_BITS - 1)) - 1)
    odd = (bits >> np.uint32(DROPPED_BITS)) & np.uint32(1)
    rounded = (bits + half + odd) & ~np.uint32((1 << DROPPED_BITS) - 1)
    found: np.ndarray = np.where(np.isfinite(values), rounded.view(np.float32), values)
    return found
