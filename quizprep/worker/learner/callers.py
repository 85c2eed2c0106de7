"""What belongs to the caller, watched in the learner's process: results, arguments, settings.

The inputs' values are watched by the judge, in the arena. What this module sees shows honest slips
only: a submission that wanted to hide one from it could as well not make it.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from quizprep.worker import protocol
from quizprep.worker.backends import Array, Backend, Memory, address_of

HELD = 3
"""Results that are held at a time, the latest ones."""


class HeldResults:
    """The latest results, held as a caller holds them, with the values that they had."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._held: deque[tuple[dict[str, Array], bytes]] = deque(maxlen=HELD)

    def hold(self, tensors: dict[str, Array], packed: bytes, inputs: Sequence[Memory]) -> bool:
        """Hold one more result, with its values; returns whether an earlier one has changed.

        A result that is a view of an input is not held: that memory is the caller's, who may
        change it.
        """
        before = len(self._held)
        same = [held for held in self._held if self._backend.pack(held[0]) == held[1]]
        self._held = deque(same, maxlen=HELD)
        if not any(self._within(tensor, inputs) for tensor in tensors.values()):
            self._held.append((tensors, packed))
        return len(same) < before

    def _within(self, tensor: Array, buffers: Sequence[Memory]) -> bool:
        at = self._backend.address(tensor)
        return any(0 <= at - address_of(buffer) < len(buffer) for buffer in buffers)

    def clear(self) -> None:
        """Let go of all results: their memory would count as the submission's."""
        self._held.clear()


class Arguments:
    """The arguments of one call.

    With ``overwrite`` their tensors are copies, which are overwritten after the call, as by a
    caller who uses one buffer for every step.
    """

    def __init__(self, backend: Backend, memory: Memory, overwrite: bool) -> None:
        self._backend = backend
        self._memory = memory
        self._overwrite = overwrite
        self._copies: list[tuple[protocol.TensorAt, bytearray]] = []
        self._lists: list[tuple[list[Any], list[Any]]] = []

    @property
    def memory(self) -> list[Memory]:
        """All memory in which arguments lie."""
        return [self._memory, *(copy for _, copy in self._copies)]

    def tensor(self, at: protocol.TensorAt) -> Array:
        """An input in the arena, or a copy of it with the same strides."""
        if not self._overwrite:
            return self._backend.view(self._memory, at)
        end = at.start + at.span * self._backend.itemsize(at.dtype)
        copy = bytearray(self._memory[at.start : end])
        self._copies.append((at, copy))
        return self._backend.view(copy, msgspec.structs.replace(at, start=0))

    def list(self, items: list[Any]) -> list[Any]:
        """A list that is handed over."""
        self._lists.append((items, list(items)))
        return items

    def list_changed(self) -> bool:
        """Whether a list has other items now than when it was handed over; asked once, after
        the call."""
        changed = any(
            len(now) != len(before) or any(a is not b for a, b in zip(now, before, strict=True))
            for now, before in self._lists
        )
        self._lists.clear()  # else its tensors would seem to be kept by the submission
        return changed

    def call_ended(self) -> None:
        """Write copies back to the arena, where the judge looks for changed inputs, and overwrite
        them: all bits set is NaN in every floating dtype."""
        for at, copy in self._copies:
            self._memory[at.start : at.start + len(copy)] = bytes(copy)
            copy[:] = b"\xff" * len(copy)


class Settings:
    """Settings of torch that change what the caller's own code computes, as they are before the
    submission is loaded; without torch there are none."""

    def __init__(self) -> None:
        self._before = list(_settings())

    def changed(self) -> protocol.Disturbed:
        """The first setting that is another one now."""
        for (name, now), (_, before) in zip(_settings(), self._before, strict=True):
            if now != before:
                return name
        return ""


def _settings() -> Iterator[tuple[protocol.Disturbed, object]]:
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return
    yield "dtype", torch.get_default_dtype()
    yield "device", torch.get_default_device()
    yield "gradients", (torch.is_grad_enabled(), torch.is_inference_mode_enabled())
