"""The judge's end of the pipes to the learner: orders out, replies in, nothing trusted."""

from __future__ import annotations

import mmap
import os
from typing import Any, NoReturn

import msgspec
import numpy as np

from quizprep.grading import wire
from quizprep.worker.arena import Laid
from quizprep.worker.backends import Backend

STOPPED = "stopped answering"


class LearnerGone(Exception):
    """The learner's process ended or no longer answers with replies; says why."""


class Channel:
    """Calls the submission in the learner's process with inputs laid out in the arena."""

    def __init__(
        self,
        backend: Backend,
        memory: mmap.mmap,
        orders: int,
        replies: int,
        events: int,
        control: int,
    ) -> None:
        self._backend = backend
        self._memory = memory
        self._orders = orders
        self._replies = replies
        self._events = events
        self._control = control
        self._number = 0
        self.laid_bytes = 0
        """The most bytes of inputs that any call laid out."""

    def tell(self, event: msgspec.Struct) -> None:
        """An event for the nursery and the parent."""
        wire.send(self._events, event)

    def load(self) -> wire.Reply:
        """Load the submission; raises LearnerGone."""
        return self._exchange(wire.Load(), 0)

    def order(self, laid: Laid, meter: str = "", hold: bool = False) -> int:
        """Start a call; its answer is fetched with `answer`, so that the judge can work
        meanwhile. Raises LearnerGone."""
        self.place(laid)
        call = wire.Call(
            number=self._next(),
            args=laid.args,
            meter=meter,
            hold=hold,
            gradients=laid.gradients,
            cotangents=laid.cotangents,
        )
        self._send(call)
        return self._number

    def place(self, laid: Laid) -> None:
        """Copy inputs into the arena."""
        self._memory[: len(laid.memory)] = laid.memory
        self.laid_bytes = max(self.laid_bytes, len(laid.memory))

    def begin(self, call: wire.Call) -> int:
        """Start a call of a script, with inputs that were placed before; raises LearnerGone."""
        self._send(msgspec.structs.replace(call, number=self._next()))
        return self._number

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _send(self, order: wire.Order) -> None:
        try:
            wire.send(self._orders, order)
        except wire.Closed:
            self._lost(STOPPED)

    def answer(self, number: int) -> wire.Reply:
        """The reply to the order of that number; raises LearnerGone."""
        try:
            reply: wire.Reply = wire.receive(self._replies, wire.Reply)
        except wire.Closed:
            self._lost(STOPPED)
        except wire.Malformed:
            self._lost("wrote something that is no reply into the grader's pipe")
        if reply.number != number:
            self._lost("answered out of turn")
        return reply

    def call(self, laid: Laid, meter: str = "") -> wire.Reply:
        """One call, start to end; raises LearnerGone."""
        return self.answer(self.order(laid, meter))

    def fetch(self, number: int) -> wire.Reply:
        """The outputs of a call that was held; raises LearnerGone."""
        return self._exchange(wire.Fetch(number=number), number)

    def rest(self) -> None:
        """Have the learner's process give back memory that is free; raises LearnerGone."""
        self._exchange(wire.Rest(number=self._next()), self._number)

    def _exchange(self, order: wire.Order, number: int) -> wire.Reply:
        self._send(order)
        return self.answer(number)

    def _lost(self, reason: str) -> NoReturn:
        """Ask the nursery, which reaps the learner, how it really ended."""
        wire.send(self._events, wire.Lost(reason=reason))
        try:
            ended: wire.Ended = wire.receive(self._control, wire.Ended)
        except (wire.Closed, wire.Malformed) as error:
            raise LearnerGone(reason) from error
        raise LearnerGone(ended.reason)

    def changed(self, laid: Laid) -> str:
        """The name of an input that the submission modified, or ""."""
        size = len(laid.memory)
        # Inputs are aligned to more than the eight bytes that are compared at once.
        words = np.frombuffer(self._memory, dtype=np.uint64, count=size // 8)
        if np.array_equal(words, np.frombuffer(laid.memory, dtype=np.uint64)):
            return ""
        now = np.frombuffer(self._memory, dtype=np.uint8, count=size)
        different = now != np.frombuffer(laid.memory, dtype=np.uint8)
        for name, at in zip(laid.names, laid.args, strict=True):
            if isinstance(at, wire.TensorAt):
                end = at.start + at.span * self._backend.itemsize(at.dtype)
                if different[at.start : end].any():
                    return name
        return "memory beside the inputs"

    def outputs(self, reply: wire.Reply) -> dict[str, Any]:
        """The tensors of a reply by place; raises LearnerGone if they are none."""
        places = {str(p) for p, output in enumerate(reply.outputs) if output.kind == "tensor"}
        try:
            tensors = self._backend.unpack(reply.tensors) if reply.tensors else {}
        except ValueError:
            tensors = {}
        if tensors.keys() != places:
            self._lost("wrote something that is no tensor into the grader's pipe")
        return tensors


def read_ready(fd: int) -> tuple[str, ...]:
    """What the learner said of its confinement before it loaded anything; raises LearnerGone."""
    parts = bytearray()
    while chunk := os.read(fd, 1 << 12):
        parts += chunk
    os.close(fd)
    if not parts:
        raise LearnerGone("could not be confined")
    missing: list[str] = msgspec.msgpack.decode(bytes(parts), type=list[str])
    return tuple(missing)
