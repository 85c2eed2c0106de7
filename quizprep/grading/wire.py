"""What crosses the pipes between the parent, the nursery and the judge.

A frame is a length and a msgpack body. Every length is capped before it is read, because some
ends are written by somebody else's program. Nothing here is ever unpickled.
"""

from __future__ import annotations

import enum
import os
import struct
from typing import Any

import msgspec

from quizprep import meter
from quizprep.content.exercises import ExerciseSpec
from quizprep.grading.verdict import Params, Verdict

MAX_FRAME = 64 << 20
"""Bytes in one frame; outputs at the largest witness point fit several times over."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen message."""


# --- parent to judge -----------------------------------------------------------------------


class Case(Message, frozen=True, kw_only=True, tag="case"):
    """One correctness case: what make_inputs is given and how its inputs are laid out."""

    params: Params
    dtype: str
    layout: str
    magnitude: float
    seed: int
    guards: bool
    twice: bool
    fresh: bool
    gradients: tuple[str, ...] = ()
    """Inputs by whose gradients the outputs are judged as well."""


class Point(Message, frozen=True, kw_only=True):
    """One size at which the meters are read. ``held_out`` points only test the fit."""

    params: Params
    seed: int
    held_out: bool


class Compared(Message, frozen=True, kw_only=True):
    """The points of a comparison of the contract."""

    at: Point
    against: Point


class Job(Message, frozen=True, kw_only=True):
    """Everything one grading needs; the judge reads the exercise's Python files itself.

    measured  the solution's exact cost, a formula by the text of its meter
    compared  the points of the contract's comparisons, in its order
    witness   the large point at which the process is watched from outside
    brief     only whether it passes is asked: the first failure ends it, nothing is diagnosed
    """

    exercise: str
    folder: str
    solution: str
    spec: ExerciseSpec
    measured: dict[str, str]
    seed: int
    cases: tuple[Case, ...]
    points: tuple[Point, ...]
    compared: tuple[Compared, ...] = ()
    witness: Point | None = None
    require_confinement: bool = False
    device: str = "cpu"
    brief: bool = False


class Setup(Message, frozen=True, kw_only=True):
    """What the learner's process needs; it holds no seed, and no path of an answer but hidden."""

    exercise: str
    """Tells exercises apart, and nothing else."""
    runtime: str
    entries: tuple[str, ...]
    source: bytes
    file_name: str
    deadline: float
    confine: bool
    memory_limit: int
    hidden: tuple[str, ...]
    """Folders the learner must not read, wherever they lie: content, store, checkout."""
    device: str = "cpu"


# --- judge to parent -----------------------------------------------------------------------


class Judged(Message, frozen=True, kw_only=True, tag="judged"):
    """The end of a grading."""

    verdict: Verdict


class Progress(Message, frozen=True, kw_only=True, tag="progress"):
    """How far the grading is."""

    stage: str
    done: int
    total: int


class FaultKind(enum.StrEnum):
    """Whose fault ours is."""

    NO_GPU = "no_gpu"
    """A GPU was asked for, and torch can use none."""
    MISSING_PACKAGE = "missing_package"
    EXERCISE = "exercise"
    """The Python files of an exercise could not be run."""
    INTERNAL = "internal"


class Fault(Message, frozen=True, kw_only=True, tag="fault"):
    """Something of ours went wrong: the judge or the nursery, never the learner."""

    kind: FaultKind = FaultKind.INTERNAL
    message: str = ""


Event = Judged | Progress | Fault


# --- judge and nursery ---------------------------------------------------------------------


class Ended(Message, frozen=True, kw_only=True):
    """Nursery to judge: why the learner's process ended."""

    reason: str


class Lost(Message, frozen=True, kw_only=True, tag="lost"):
    """Judge to nursery: the learner no longer answers, or, for that reason, not with replies."""

    reason: str = ""


# --- parent to nursery ---------------------------------------------------------------------


class Grade(Message, frozen=True, kw_only=True, tag="grade"):
    """Grade one submission. The Job follows as a frame of its own, which only the judge reads:
    the learner is forked from a process that has never held a seed."""

    setup: Setup


class Describe(Message, frozen=True, kw_only=True, tag="describe"):
    """List the mistakes that an exercise knows."""

    folder: str


class Described(Message, frozen=True, kw_only=True, tag="described"):
    """The mistakes of an exercise by id, each with its switches: one a variant."""

    switches: dict[str, tuple[str, ...]]


class TellApart(Message, frozen=True, kw_only=True, tag="apart"):
    """Diagnose every pair of an exercise's mistakes on these cases."""

    folder: str
    runtime: str
    cases: tuple[Case, ...]


class Pair(Message, frozen=True, kw_only=True):
    """Two mistakes together: whether a submission with both fails, and what is named."""

    names: tuple[str, ...]
    switches: tuple[str, ...]
    fails: bool
    named: tuple[str, ...]


class ToldApart(Message, frozen=True, kw_only=True, tag="told_apart"):
    """The pairs of an exercise."""

    pairs: tuple[Pair, ...]


class Probe(Message, frozen=True, kw_only=True, tag="probe"):
    """Run an exercise's reference to find out which keys each query sees."""

    folder: str
    params: Params
    seed: int


class Probed(Message, frozen=True, kw_only=True, tag="probed"):
    """The mask of the first sequence and head: a row of ``visible`` for each query, with a
    truth value for each key."""

    visible: tuple[tuple[bool, ...], ...]


Asked = Describe | TellApart | Probe
"""What one child answers, without a submission."""

Request = Grade | Asked
Answer = Judged | Progress | Fault | Described | ToldApart | Probed


# --- frames --------------------------------------------------------------------------------


class Closed(Exception):
    """The other end of the pipe is gone."""


class Malformed(Exception):
    """The other end wrote something that is no message."""


_HEADER = struct.Struct("<Q")


def send(fd: int, message: msgspec.Struct) -> None:
    """Write one message; raises Closed."""
    body = msgspec.msgpack.encode(message, enc_hook=meter.to_text)
    view = memoryview(_HEADER.pack(len(body)) + body)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except BrokenPipeError as error:
        raise Closed from error


def decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """Reads messages of a type. What it takes to make the first one is remembered by msgspec, so
    a nursery makes one of each before it forks."""
    return msgspec.msgpack.Decoder(kind, dec_hook=meter.from_text)


def receive(fd: int, kind: Any, limit: int = MAX_FRAME) -> Any:
    """Read one message of the given type; raises Closed or Malformed."""
    (length,) = _HEADER.unpack(_exactly(fd, _HEADER.size))
    if length > limit:
        raise Malformed(f"a message of {length} bytes")
    try:
        return decoder(kind).decode(_exactly(fd, length))
    except msgspec.MsgspecError as error:
        raise Malformed(str(error)) from error


def _exactly(fd: int, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = os.read(fd, min(length - len(parts), 1 << 20))
        if not part:
            raise Closed
        parts += part
    return bytes(parts)
