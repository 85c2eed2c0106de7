"""The judge's end of the pipes to the learner: orders out, replies in, nothing trusted."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import msgspec
import numpy as np

from quizprep.grading import wire
from quizprep.worker import protocol
from quizprep.worker.arena import Laid, moved
from quizprep.worker.backends import Backend
from quizprep.worker.protocol import TensorAt

STOPPED = "stopped answering"

AHEAD = 4
"""Calls at most that the learner has before it, the one it is at among them."""

AHEAD_BYTES = 1 << 20
"""Of the arena for the inputs of several calls at once. What lies there is memory that a
submission may have without its showing, so it is little."""


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
        self._gone = ""
        self.meanwhile: Callable[[], bool] | None = None
        """Does a piece of work while the learner is waited for; False once none is left."""
        self.laid_bytes = 0
        """How far into the arena inputs have reached."""
        self._answered = 0
        """Where the inputs of the call lie that was answered last."""
        self._under_way: deque[tuple[int, int]] = deque()
        """Start and end in the arena of the inputs of calls without an answer, in order."""

    def tell(self, event: msgspec.Struct) -> None:
        """An event for the nursery and the parent."""
        wire.send(self._events, event)

    def _wait(self, fd: int) -> None:
        """Work until there is something to read, or nothing to do but to wait for it."""
        while self.meanwhile is not None and not select.select([fd], [], [], 0)[0]:
            if not self.meanwhile():
                self.meanwhile = None

    def ready(self, fd: int) -> tuple[str, ...]:
        """What the learner said of its confinement before it loaded anything; raises
        LearnerGone."""
        self._wait(fd)
        parts = bytearray()
        while chunk := os.read(fd, 1 << 12):
            parts += chunk
        os.close(fd)
        if not parts:
            raise LearnerGone("could not be confined")
        missing: list[str] = msgspec.msgpack.decode(bytes(parts), type=list[str])
        return tuple(missing)

    def load(self) -> protocol.Reply:
        """Load the submission; raises LearnerGone."""
        return self._exchange(protocol.Load(), 0)

    def order(self, laid: Laid, meter: str = "", hold: bool = False) -> int:
        """Start a call; its answer is fetched with `answer`, so that the judge can work
        meanwhile. Raises LearnerGone."""
        if self._gone:
            raise LearnerGone(self._gone)
        start = self._free(laid)
        assert start is not None
        self._place(laid, start)
        self._under_way.append((start, start + len(laid.memory)))
        call = protocol.Call(
            number=self._next(),
            args=tuple(moved(at, start) if isinstance(at, TensorAt) else at for at in laid.args),
            meter=meter,
            hold=hold,
            gradients=laid.gradients,
            cotangents=tuple(moved(at, start) for at in laid.cotangents),
        )
        self._send(call)
        return self._number

    def has_room(self, laid: Laid) -> bool:
        """Whether a call with these inputs can be ordered beside those under way, or would be
        told that nobody is there."""
        return bool(self._gone) or self._free(laid) is not None

    def _free(self, laid: Laid) -> int | None:
        """Where in the arena the inputs can lie; None where only calls under way have room."""
        if not self._under_way:
            return 0
        size = len(laid.memory)
        first, last = self._under_way[0][0], self._under_way[-1][1]
        if first < last:
            # From the first one on; behind the last one, or else before the first.
            return last if last + size <= AHEAD_BYTES else 0 if size <= first else None
        return last if last + size <= first else None

    def place(self, laid: Laid) -> None:
        """Copy the inputs of a script into the arena, where they lie alone."""
        self._place(laid, 0)

    def _place(self, laid: Laid, start: int) -> None:
        end = start + len(laid.memory)
        self._memory[start:end] = laid.memory
        self.laid_bytes = max(self.laid_bytes, end)

    def begin(self, call: protocol.Call) -> int:
        """Start a call of a script, with inputs that were placed before; raises LearnerGone."""
        self._send(msgspec.structs.replace(call, number=self._next()))
        return self._number

    @property
    def last(self) -> int:
        """The number of the last order."""
        return self._number

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _send(self, order: protocol.Order) -> None:
        try:
            wire.send(self._orders, order)
        except wire.Closed:
            self._lost()

    def answer(self, number: int) -> protocol.Reply:
        """The reply to the order of that number; raises LearnerGone."""
        self._wait(self._replies)
        try:
            reply: protocol.Reply = wire.receive(self._replies, protocol.Reply)
        except wire.Closed:
            self._lost()
        except wire.Malformed:
            self._lost("wrote something that is no reply into the grader's pipe")
        if reply.number != number:
            self._lost("answered out of turn")
        self._answered = self._under_way.popleft()[0] if self._under_way else 0
        return reply

    def fetch(self, number: int) -> protocol.Reply:
        """The outputs of a call that was held; raises LearnerGone."""
        return self._exchange(protocol.Fetch(number=number), number)

    def rest(self) -> None:
        """Have the learner's process give back memory that is free; raises LearnerGone."""
        self._exchange(protocol.Rest(number=self._next()), self._number)

    def _exchange(self, order: protocol.Order, number: int) -> protocol.Reply:
        self._send(order)
        return self.answer(number)

    def _lost(self, reason: str = "") -> NoReturn:
        """Ask the nursery, which reaps the learner, how it really ended. The reason is empty where
        it only stopped answering."""
        if self._gone:
            raise LearnerGone(self._gone)
        self._gone = reason or STOPPED
        wire.send(self._events, wire.Lost(reason=reason))
        try:
            ended: wire.Ended = wire.receive(self._control, wire.Ended)
        except (wire.Closed, wire.Malformed) as error:
            raise LearnerGone(self._gone) from error
        self._gone = ended.reason
        raise LearnerGone(ended.reason)

    def changed(self, laid: Laid) -> str:
        """The name of an input that the submission modified, or ""; asked before anything else
        is laid where the inputs of the call that was answered last lie."""
        start, size = self._answered, len(laid.memory)
        # Inputs are aligned to more than the eight bytes that are compared at once.
        words = np.frombuffer(self._memory, dtype=np.uint64, count=size // 8, offset=start)
        if np.array_equal(words, np.frombuffer(laid.memory, dtype=np.uint64)):
            return ""
        now = np.frombuffer(self._memory, dtype=np.uint8, count=size, offset=start)
        different = now != np.frombuffer(laid.memory, dtype=np.uint8)
        for name, at in zip(laid.names, laid.args, strict=True):
            if isinstance(at, TensorAt):
                end = at.start + at.span * self._backend.itemsize(at.dtype)
                if different[at.start : end].any():
                    return name
        return "memory beside the inputs"

    def outputs(self, reply: protocol.Reply) -> dict[str, Any]:
        """The tensors of a reply by place; raises LearnerGone if they are none."""
        places = {str(p) for p, output in enumerate(reply.outputs) if output.kind == "tensor"}
        try:
            tensors = self._backend.unpack(reply.tensors) if reply.tensors else {}
        except ValueError:
            tensors = {}
        if tensors.keys() != places:
            self._lost("wrote something that is no tensor into the grader's pipe")
        return tensors


class Calls:
    """Calls made one after the other, of which some are sent ahead of the answer to the first:
    the learner does not wait while the judge looks at outputs."""

    def __init__(self, channel: Channel, calls: Iterable[tuple[Laid, str]]) -> None:
        """``calls`` are inputs and the meter that they are called under, made when needed."""
        self._channel = channel
        self._calls = iter(calls)
        self._following = next(self._calls, None)
        self._sent: deque[tuple[int, Laid]] = deque()

    def next(self) -> tuple[protocol.Reply, str]:
        """The reply to the next call, and the name of an input that it modified, or ""; raises
        LearnerGone."""
        self._fill()
        number, laid = self._sent.popleft()
        reply = self._channel.answer(number)
        changed = self._channel.changed(laid)
        self._fill()
        return reply, changed

    def _fill(self) -> None:
        """Send what there is room for. Where nobody reads it any more, waiting for the answer
        will tell."""
        while self._following is not None and len(self._sent) < AHEAD:
            laid, meter = self._following
            if not self._channel.has_room(laid):
                return
            with contextlib.suppress(LearnerGone):
                self._channel.order(laid, meter)
            self._sent.append((self._channel.last, laid))
            self._following = next(self._calls, None)
