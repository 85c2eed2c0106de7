"""Messages on the pipes between the parent, the nursery and the judge.

A frame is a length and a msgpack body. The length is checked against a limit before the body is
read, because a submission can write to some of the pipes. Nothing is ever unpickled.
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
"""Bytes in one frame: several times the outputs at the largest witness point."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen message."""


# --- parent to judge -----------------------------------------------------------------------


class Case(Message, frozen=True, kw_only=True, tag="case"):
    """One correctness case: the arguments of make_inputs, and the layout of its inputs.

    twice  a function is called a second time with the same inputs
    again  the case before with other values: a function is called right after it, and the
           objects of a script are alive together with that case's
    """

    params: Params
    dtype: str
    layout: str
    magnitude: float
    seed: int
    guards: bool
    twice: bool
    fresh: bool
    again: bool = False
    gradients: tuple[str, ...] = ()
    """Inputs whose gradients are judged as well."""


class Point(Message, frozen=True, kw_only=True):
    """One size at which the meters are read; ``held_out`` points only test the fit."""

    params: Params
    seed: int
    held_out: bool


class Compared(Message, frozen=True, kw_only=True):
    """The two points of one of the contract's comparisons."""

    at: Point
    against: Point


class Job(Message, frozen=True, kw_only=True):
    """Everything that one grading needs; the judge reads the exercise's Python files itself.

    measured  the solution's exact cost: a formula by the text of its meter
    compared  the points of the contract's comparisons, in the contract's order
    witness   the large point at which the process is watched from outside
    brief     end at the first failure and diagnose nothing
    script    write the smallest failing case down as a script
    source    the submission's text
    target    the compute capability for which its kernels are compiled, as 90 for sm_90
    assemble  make machine code as well, and say what it takes of the GPU
    gpu       the launches for which it is made
    by_line   tell what each line costs, even where the cost is allowed
    search    budget of the search for the line of a slip, as a multiple of the usual one; 0: none
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
    script: bool = False
    source: bytes = b""
    target: int = 90
    assemble: bool = False
    gpu: tuple[Case, ...] = ()
    by_line: bool = False
    search: float = 1.0


class Setup(Message, frozen=True, kw_only=True):
    """What the learner's process needs. It contains no seed, and no path of an answer except in
    ``hidden``."""

    exercise: str
    """An opaque id, different for every exercise."""
    runtime: str
    entries: tuple[str, ...]
    source: bytes
    file_name: str
    deadline: float
    confine: bool
    memory_limit: int
    hidden: tuple[str, ...]
    """Folders that the learner must not read, wherever they are: content, store, checkout."""
    device: str = "cpu"


# --- judge to parent -----------------------------------------------------------------------


class Judged(Message, frozen=True, kw_only=True, tag="judged"):
    """The end of a grading."""

    verdict: Verdict


class Progress(Message, frozen=True, kw_only=True, tag="progress"):
    """The progress of a grading."""

    stage: str
    done: int
    total: int


class FaultKind(enum.StrEnum):
    """The cause of a fault of ours."""

    NO_GPU = "no_gpu"
    """A GPU was requested, but torch can use none."""
    MISSING_PACKAGE = "missing_package"
    EXERCISE = "exercise"
    """An exercise's Python files could not be run."""
    INTERNAL = "internal"


class Fault(Message, frozen=True, kw_only=True, tag="fault"):
    """A fault of ours, in the judge or the nursery; never of the learner."""

    kind: FaultKind = FaultKind.INTERNAL
    message: str = ""


Event = Judged | Progress | Fault


# --- judge and nursery ---------------------------------------------------------------------


class Ended(Message, frozen=True, kw_only=True):
    """Nursery to judge: why the learner's process ended."""

    reason: str


class Lost(Message, frozen=True, kw_only=True, tag="lost"):
    """Judge to nursery: the learner no longer answers, or, with a reason, not with valid
    replies."""

    reason: str = ""


# --- parent to nursery ---------------------------------------------------------------------


class Grade(Message, frozen=True, kw_only=True, tag="grade"):
    """Grade one submission. The Job follows in a frame of its own, which only the judge reads: the
    learner is forked from a process that has never held a seed."""

    setup: Setup


class Describe(Message, frozen=True, kw_only=True, tag="describe"):
    """List the mistakes of an exercise."""

    folder: str


class Described(Message, frozen=True, kw_only=True, tag="described"):
    """The mistakes of an exercise by id, each with its switches, one for each variant, and with its
    concept."""

    switches: dict[str, tuple[str, ...]]
    concepts: dict[str, str]


class TellApart(Message, frozen=True, kw_only=True, tag="apart"):
    """Diagnose every pair of an exercise's mistakes on these cases."""

    folder: str
    runtime: str
    cases: tuple[Case, ...]


class Pair(Message, frozen=True, kw_only=True):
    """Two mistakes made together: whether such a submission fails, and the mistakes that are
    named."""

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
    """The mask of the first sequence and head: for each query a row of booleans, one for each
    key."""

    visible: tuple[tuple[bool, ...], ...]


Asked = Describe | TellApart | Probe
"""Authors' requests, which one child answers without a submission."""

Request = Grade | Asked
Answer = Judged | Progress | Fault | Described | ToldApart | Probed


# --- frames --------------------------------------------------------------------------------


class Closed(Exception):
    """The other end of the pipe is closed."""


class Malformed(Exception):
    """The other end wrote something that is no valid message."""


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
    """A decoder for messages of a type. msgspec caches the schema that it builds for the first one,
    so a nursery builds one for each type before it forks."""
    return msgspec.msgpack.Decoder(kind, dec_hook=meter.from_text)


def receive(fd: int, kind: Any, limit: int = MAX_FRAME) -> Any:
    """Read one message of the given type; raises Closed or Malformed."""
    (length,) = _HEADER.unpack(_exactly(fd, _HEADER.size))
    if length > limit:
        raise Malformed(f"a message of {length} bytes")
    try:
        return decoder(kind).decode(_exactly(fd, length))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # msgspec lets the last two through: text that is no UTF-8, and lists nested too deeply.
        raise Malformed(str(error)) from error


def _exactly(fd: int, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = os.read(fd, min(length - len(parts), 1 << 20))
        if not part:
            raise Closed
        parts += part
    return bytes(parts)
