"""The judge's end of the pipes to the learner: orders out, replies in, nothing trusted."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NoReturn

import msgspec
import numpy as np

from quizprep.grading import wire
from quizprep.worker import protocol
from quizprep.worker.arena import PlacedInputs, moved
from quizprep.worker.backends import Array, Backend
from quizprep.worker.children import JudgeEnds
from quizprep.worker.protocol import TensorAt

STOPPED = "stopped answering"

IN_FLIGHT = 4
"""Calls without a reply at any time, including the one that the learner is executing."""

IN_FLIGHT_BYTES = 1 << 20
"""Bytes of the arena for the inputs of several calls at once. A submission could use that memory
unseen by the witnesses, so it is small."""


class LearnerGone(Exception):
    """The learner's process ended or sends no more replies; the text says why."""


class Channel:
    """Calls the submission in the learner's process with inputs placed in the arena."""

    def __init__(self, backend: Backend, memory: mmap.mmap, ends: JudgeEnds) -> None:
        self._backend = backend
        self._memory = memory
        self._ends = ends
        self._number = 0
        self._gone = ""
        self.idle_work: Callable[[], bool] | None = None
        """Does a piece of work while the learner is waited for; returns False once none is left."""
        self.patience: float | None = None
        """On the monotonic clock, until when a reply is waited for; None as long as it takes."""
        self.bounded: set[str] = set()
        """Operations whose metered work was an upper bound, as the learner's process names them."""
        self.high_water_mark = 0
        """Bytes of the arena that inputs have occupied at most."""
        self._last_start = 0
        """Where the inputs of the call lie whose reply was read last."""
        self._in_flight: deque[tuple[int, int]] = deque()
        """Start and end in the arena of the inputs of the calls without a reply, in order."""

    def send_event(self, event: msgspec.Struct) -> None:
        """Send an event to the nursery and the parent."""
        wire.send(self._ends.events, event)

    def _wait(self, fd: int) -> None:
        """Do idle work until there is something to read or no work left."""
        while self.idle_work is not None and not select.select([fd], [], [], 0)[0]:
            if not self.idle_work():
                self.idle_work = None

    def wait_until_confined(self) -> tuple[str, ...]:
        """The missing parts of the confinement, as the learner reports them before it loads
        anything; raises LearnerGone."""
        self._wait(self._ends.ready)
        parts = bytearray()
        while chunk := os.read(self._ends.ready, 1 << 12):
            parts += chunk
        os.close(self._ends.ready)
        if not parts:
            raise LearnerGone("could not be confined")
        missing: list[str] = msgspec.msgpack.decode(bytes(parts), type=list[str])
        return tuple(missing)

    def load(self) -> protocol.Reply:
        """Load the submission; raises LearnerGone."""
        return self._exchange(protocol.Load(), 0)

    def start_call(
        self,
        placed: PlacedInputs,
        meter: str = "",
        defer_outputs: bool = False,
        candidate: int = -1,
        max_steps: int = 0,
        as_gpu: str = "",
    ) -> int:
        """Send a call and return its number, without waiting for the reply; raises LearnerGone."""
        if self._gone:
            raise LearnerGone(self._gone)
        start = self._free(placed)
        assert start is not None
        self._copy_in(placed, start)
        self._in_flight.append((start, start + len(placed.memory)))
        return self.start_script_call(
            protocol.Call(
                number=0,
                args=tuple(
                    moved(at, start) if isinstance(at, TensorAt) else at for at in placed.args
                ),
                meter=meter,
                defer_outputs=defer_outputs,
                gradients=placed.gradients,
                cotangents=tuple(moved(at, start) for at in placed.cotangents),
                candidate=candidate,
                max_steps=max_steps,
                as_gpu=as_gpu,
            )
        )

    def has_room(self, placed: PlacedInputs) -> bool:
        """Whether a call with these inputs can be started now. True once the learner is gone:
        `start_call` then raises."""
        return bool(self._gone) or self._free(placed) is not None

    def _free(self, placed: PlacedInputs) -> int | None:
        """The offset of free space for the inputs, in the ring buffer that calls in flight share;
        None if there is none. A call that is alone may use the whole arena."""
        if not self._in_flight:
            return 0
        size = len(placed.memory)
        first, last = self._in_flight[0][0], self._in_flight[-1][1]
        if first < last:
            return last if last + size <= IN_FLIGHT_BYTES else 0 if size <= first else None
        return last if last + size <= first else None

    def place(self, placed: PlacedInputs) -> None:
        """Copy the inputs of a script into the arena, which no other inputs share then."""
        self._copy_in(placed, 0)

    def _copy_in(self, placed: PlacedInputs, start: int) -> None:
        end = start + len(placed.memory)
        self._memory[start:end] = placed.memory
        self.high_water_mark = max(self.high_water_mark, end)

    def start_script_call(self, call: protocol.Call) -> int:
        """Send a call whose inputs are in the arena already; returns its number. Raises
        LearnerGone."""
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
            wire.send(self._ends.orders, order)
        except wire.Closed:
            self._lost()

    def receive(self, number: int) -> protocol.Reply:
        """The reply to the order of that number; raises LearnerGone, also if `patience` ends."""
        self._wait(self._ends.replies)
        if self.patience is not None and not self._gone:
            left = max(self.patience - time.monotonic(), 0)
            if not select.select([self._ends.replies], [], [], left)[0]:
                self._gone = STOPPED
                raise LearnerGone(self._gone)
        try:
            reply = wire.receive(self._ends.replies, protocol.Reply)
        except wire.Closed:
            self._lost()
        except wire.Malformed:
            self._lost("wrote something that is no reply into the grader's pipe")
        if reply.number != number:
            self._lost("answered out of turn")
        if len(self.bounded) < protocol.MAX_BOUNDED:
            self.bounded.update(reply.bounded)
        self._last_start = self._in_flight.popleft()[0] if self._in_flight else 0
        return reply

    def fetch(self, number: int) -> protocol.Reply:
        """The outputs that a call deferred; raises LearnerGone."""
        return self._exchange(protocol.Fetch(number=number), number)

    def trim_memory(self) -> None:
        """Have the learner's process return free memory to the system; raises LearnerGone."""
        self._exchange(protocol.TrimMemory(number=self._next()), self._number)

    def list_edits(self) -> int:
        """The number of small edits of the submission; raises LearnerGone."""
        return self._exchange(protocol.ListEdits(number=self._next()), self._number).edits

    def describe_edit(self, edit: int) -> protocol.EditText | None:
        """One of these edits; raises LearnerGone."""
        order = protocol.DescribeEdit(number=self._next(), edit=edit)
        return self._exchange(order, self._number).edit

    def trace_values(self, placed: PlacedInputs) -> protocol.Reply:
        """The arrays that variables held in a call with these inputs; raises LearnerGone."""
        self.place(placed)
        order = protocol.TraceValues(number=self._next(), args=placed.args)
        return self._exchange(order, self._number)

    def traced(self, reply: protocol.Reply) -> list[np.ndarray]:
        """The arrays of traced values, in order; raises LearnerGone if they cannot be parsed."""
        try:
            tensors = self._backend.unpack(reply.tensors) if reply.tensors else {}
        except ValueError:
            tensors = {}
        if tensors.keys() != {str(place) for place in range(len(reply.lines))}:
            self._lost("wrote something that is no tensor into the grader's pipe")
        return [self._backend.exact(tensors[str(place)]) for place in range(len(reply.lines))]

    def _exchange(self, order: protocol.Order, number: int) -> protocol.Reply:
        self._send(order)
        return self.receive(number)

    def _lost(self, reason: str = "") -> NoReturn:
        """Raise LearnerGone with the nursery's account of how the process ended: the nursery reaps
        it. ``reason`` is empty if the learner merely stopped answering."""
        if self._gone:
            raise LearnerGone(self._gone)
        self._gone = reason or STOPPED
        wire.send(self._ends.events, wire.Lost(reason=reason))
        with contextlib.suppress(wire.Closed, wire.Malformed):
            self._gone = wire.receive(self._ends.control, wire.Ended).reason
        raise LearnerGone(self._gone)

    def modified_input(self, placed: PlacedInputs) -> str:
        """The name of an input that the submission modified in the call whose reply was read last,
        or "". Ask before other inputs are placed over them."""
        start, size = self._last_start, len(placed.memory)
        # Inputs are aligned to more than the eight bytes that are compared at once.
        words = np.frombuffer(self._memory, dtype=np.uint64, count=size // 8, offset=start)
        if np.array_equal(words, np.frombuffer(placed.memory, dtype=np.uint64)):
            return ""
        now = np.frombuffer(self._memory, dtype=np.uint8, count=size, offset=start)
        different = now != np.frombuffer(placed.memory, dtype=np.uint8)
        for name, at in zip(placed.names, placed.args, strict=True):
            if isinstance(at, TensorAt):
                end = at.start + at.span * self._backend.itemsize(at.dtype)
                if different[at.start : end].any():
                    return name
        return "memory beside the inputs"

    def outputs(self, reply: protocol.Reply) -> dict[str, Array]:
        """The tensors of a reply by place; raises LearnerGone if they cannot be parsed."""
        places = {str(p) for p, output in enumerate(reply.outputs) if output.kind == "tensor"}
        try:
            tensors = self._backend.unpack(reply.tensors) if reply.tensors else {}
        except ValueError:
            tensors = {}
        if tensors.keys() != places:
            self._lost("wrote something that is no tensor into the grader's pipe")
        return tensors


class PipelinedCalls:
    """Calls in order, of which up to IN_FLIGHT are sent before the first reply is read: the learner
    computes while the judge examines outputs."""

    def __init__(self, channel: Channel, calls: Iterable[tuple[PlacedInputs, str]]) -> None:
        """``calls`` are the inputs and the meter of each call, consumed lazily."""
        self._channel = channel
        self._calls = iter(calls)
        self._following = next(self._calls, None)
        self._sent: deque[tuple[int, PlacedInputs]] = deque()

    def next(self) -> tuple[protocol.Reply, str]:
        """The reply to the next call, and the name of an input that it modified, or ""; raises
        LearnerGone."""
        self._fill()
        number, placed = self._sent.popleft()
        reply = self._channel.receive(number)
        modified = self._channel.modified_input(placed)
        self._fill()
        return reply, modified

    def _fill(self) -> None:
        """Send as many calls as there is room for."""
        while self._following is not None and len(self._sent) < IN_FLIGHT:
            placed, meter = self._following
            if not self._channel.has_room(placed):
                return
            # If the learner is gone, receiving the reply raises as well, in its turn.
            with contextlib.suppress(LearnerGone):
                self._channel.start_call(placed, meter)
            self._sent.append((self._channel.last, placed))
            self._following = next(self._calls, None)
