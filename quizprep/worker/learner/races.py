"""Data races of Triton kernels: programs of one launch that meet at one address without atomics.

The interpreter runs programs one after the other, so an update by load, add, store is right here. A
GPU runs them at once, and updates are lost. A store of what is there already is no race: nobody can
tell who wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from quizprep.worker import protocol

NOBODY, SEVERAL = -1, -2
MAX_BYTES = 64 << 20
"""Bytes of a tensor that are watched, more than any case has."""

MAX_AXES = 8
"""Axes of a tensor whose element is told by its indices."""


class RaceDetector:
    """Remembers, for one launch, which program stored to each address last, and which loaded it."""

    def __init__(self) -> None:
        self.first: protocol.Race | None = None
        self._tensors: list[tuple[str, torch.Tensor, int]] = []
        self._stored: dict[int, np.ndarray] = {}
        self._loaded: dict[int, np.ndarray] = {}

    def begin(self, tensors: Sequence[tuple[str, torch.Tensor]]) -> None:
        """A launch begins, with these tensors by the names of the kernel's parameters."""
        self._tensors = [(n, tensor, tensor.untyped_storage().data_ptr()) for n, tensor in tensors]
        self._stored, self._loaded = {}, {}

    def access(
        self,
        addresses: np.ndarray,
        program: int,
        writes: bool,
        atomic: bool,
        line: Callable[[], int],
    ) -> None:
        """Record the access of a program to these addresses. A store must change what is there."""
        if self.first is not None:
            return
        for place, (name, tensor, start) in enumerate(self._tensors):
            size = min(tensor.untyped_storage().nbytes(), MAX_BYTES)
            at = addresses[(addresses >= start) & (addresses < start + size)] - start
            if not at.size:
                continue
            if place not in self._stored:
                self._stored[place] = np.full(size, NOBODY, dtype=np.int32)
                self._loaded[place] = np.full(size, NOBODY, dtype=np.int32)
            stored, loaded = self._stored[place], self._loaded[place]
            conflicts = (stored[at] != NOBODY) & (stored[at] != program)
            if writes and not atomic:
                conflicts |= (loaded[at] != NOBODY) & (loaded[at] != program)
            if conflicts.any():
                index = _indices(tensor, int(at[conflicts][0]))
                self.first = protocol.Race(name=name[:200], index=index, line=line())
                return
            if atomic:
                continue
            if writes:
                stored[at] = program
            else:
                before = loaded[at]
                loaded[at] = np.where((before == NOBODY) | (before == program), program, SEVERAL)


def _indices(tensor: torch.Tensor, offset: int) -> tuple[int, ...]:
    """The indices of the element at an offset in bytes of a tensor's storage; none if the tensor
    is no contiguous one."""
    element = offset // tensor.element_size() - tensor.storage_offset()
    if not tensor.is_contiguous() or not 0 <= element < tensor.numel() or tensor.ndim > MAX_AXES:
        return ()
    return tuple(int(i) for i in np.unravel_index(element, tuple(tensor.shape)))
