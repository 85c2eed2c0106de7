"""What crosses the pipes between the grading parent, the judge and the learner.

Frames are a length and a msgpack body. Every length is capped before it is read, because
the learner's end is written by somebody else's program. Nothing here is ever unpickled.
"""

from __future__ import annotations

import os
import struct
from typing import Annotated, Any, Literal, TypeVar

import msgspec

T = TypeVar("T")
Scalar = bool | int | float | str | None
Params = dict[str, Scalar]
Status = Literal["pass", "fail", "error", "skip"]

NO_GPU = "no GPU"
"""The nursery's fault where a GPU was asked for and torch can use none."""

MAX_OUTPUTS = 16
"""Results of one call that are looked at."""

MAX_FRAME = 64 << 20
"""Bytes in one frame; outputs at the largest witness point fit several times over."""


class Message(msgspec.Struct, frozen=True, kw_only=True, array_like=False):
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


class Comparison(Message, frozen=True, kw_only=True):
    """Two points whose readings of one meter are set against each other."""

    meter: str
    at: Point
    against: Point


class Job(Message, frozen=True, kw_only=True):
    """Everything one grading needs; the judge reads the exercise's folder itself."""

    exercise: str
    folder: str
    solution: str
    runtime: str
    entries: tuple[str, ...]
    returns: dict[str, tuple[str, ...]]
    cases: tuple[Case, ...]
    points: tuple[Point, ...]
    symbols: tuple[str, ...]
    tiles: dict[str, tuple[str, ...]]
    meters: tuple[str, ...]
    bounds: dict[str, tuple[float, ...]]
    """By meter, the contract's growth at each point: what a reading is held against when no
    formula fits."""
    budgets: dict[str, float]
    """By meter, how many times the solution's own reading is allowed."""
    comparisons: tuple[Comparison, ...]
    witness: Point | None
    cost_dtype: str
    guards: bool
    require_confinement: bool
    device: str = "cpu"
    brief: bool = False
    """Only whether it passes is asked: the first failure ends it, and nothing is diagnosed."""


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


class Frame(Message, frozen=True, kw_only=True):
    """A line of the learner's own code in a traceback."""

    line: int
    function: str
    text: str


class Raised(Message, frozen=True, kw_only=True):
    """An exception inside the submission, with the learner's own frames only."""

    kind: str
    message: str
    frames: tuple[Frame, ...] = ()


class LoadResult(Message, frozen=True, kw_only=True):
    """How loading the submission went; ``message`` is empty when it went well."""

    status: Status
    message: str = ""
    raised: Raised | None = None


class CaseResult(Message, frozen=True, kw_only=True):
    """One case: pass, fail or skip, and in a sentence what was wrong."""

    params: Params
    dtype: str
    layout: str
    magnitude: float
    fresh: bool
    status: Status
    message: str = ""
    raised: Raised | None = None


class Named(Message, frozen=True, kw_only=True):
    """A mistake that gives the learner's output on every case."""

    id: str
    says: str
    concept: str


class DiagnosisResult(Message, frozen=True, kw_only=True):
    """Where the outputs are wrong, in words, and which mistakes explain them.

    stray        what the first access of a kernel without an element came of: a mask that is
                 missing, or strides that were not looked at
    unexplained  outputs are wrong, and neither a mistake nor that explains them
    """

    where: str = ""
    mistakes: tuple[Named, ...] = ()
    tried: int = 0
    stray: Literal["", "mask", "strides"] = ""
    unexplained: bool = False


class Term(Message, frozen=True, kw_only=True):
    """One monomial of a fitted formula with an exact rational coefficient."""

    top: int
    bottom: int
    powers: dict[str, int]


class Reading(Message, frozen=True, kw_only=True):
    """What one meter read over all points.

    terms      the exact formula, or None when none predicts every point
    slopes     when there is no formula: measured exponent of the reading, by symbol
    excess     by symbol, how fast the reading grows beyond the contract's formula
    largest    the reading at the largest point, and the solution's own there
    """

    meter: str
    terms: tuple[Term, ...] | None
    slopes: dict[str, float]
    excess: dict[str, float]
    values: tuple[int, ...]
    largest: int
    solution_largest: int | None
    note: str = ""


class ComparisonResult(Message, frozen=True, kw_only=True):
    """The reading at a point as a fraction of the reading at another."""

    meter: str
    at: int
    against: int


class WitnessResult(Message, frozen=True, kw_only=True):
    """The learner's process over one large call, read from outside; bytes.

    resident   growth over the call
    sending    growth over the call and while its outputs were sent
    kept       what the process had kept since before the submission was loaded
    written    what it wrote into files and into shared memory that is not an input
    metered    what the meters say the call needed at its peak
    outputs    the size of the outputs
    worked     nanoseconds of processor time of the call; 0 where the system does not tell
    solution_worked  what the solution takes for it, in the judge's process
    """

    params: Params
    resident: int = 0
    sending: int = 0
    kept: int = 0
    written: int = 0
    metered: int = 0
    outputs: int = 0
    worked: int = 0
    solution_worked: int = 0
    available: bool = True


class CostResult(Message, frozen=True, kw_only=True):
    """All readings, or why there are none."""

    status: Status
    message: str = ""
    readings: tuple[Reading, ...] = ()
    comparisons: tuple[ComparisonResult, ...] = ()
    witness: WitnessResult | None = None
    named: tuple[Named, ...] = ()
    """Mistakes of cost that the exercise knows, for the parent to match with the readings."""
    signatures: dict[str, dict[str, str]] = {}


class JudgeResult(Message, frozen=True, kw_only=True, tag="result"):
    """What the judge found out; the parent makes the verdict of it."""

    load: LoadResult
    cases: tuple[CaseResult, ...] = ()
    diagnosis: DiagnosisResult | None = None
    cost: CostResult | None = None
    printed: str = ""
    ended: str = ""
    """Why the learner's process ended early, in words; empty when it did not."""
    unconfined: tuple[str, ...] = ()
    """Parts of the confinement that were not there; empty when it was whole."""


class Progress(Message, frozen=True, kw_only=True, tag="progress"):
    """How far the grading is."""

    stage: str
    done: int
    total: int


class Fault(Message, frozen=True, kw_only=True, tag="fault"):
    """Something of ours went wrong: the judge or the nursery, never the learner."""

    message: str


Event = JudgeResult | Progress | Fault


# --- judge and nursery ---------------------------------------------------------------------


class Ended(Message, frozen=True, kw_only=True):
    """Nursery to judge: why the learner's process ended."""

    reason: str


class Lost(Message, frozen=True, kw_only=True, tag="lost"):
    """Judge to nursery: the learner no longer answers, or not with replies."""

    reason: str


# --- parent to nursery ---------------------------------------------------------------------


class Grade(Message, frozen=True, kw_only=True, tag="grade"):
    """Grade one submission. The Job follows as a frame of its own, which only the judge reads:
    the learner is forked from a process that has never held a seed."""

    setup: Setup


class Describe(Message, frozen=True, kw_only=True, tag="describe"):
    """List the mistakes that an exercise knows."""

    folder: str


class Described(Message, frozen=True, kw_only=True, tag="described"):
    """The mistakes of an exercise: id to (switches, concept, says, cost)."""

    mistakes: dict[str, tuple[tuple[str, ...], str, str, dict[str, str]]]


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
Answer = JudgeResult | Progress | Fault | Described | ToldApart | Probed


# --- judge to learner ----------------------------------------------------------------------


class TensorAt(Message, frozen=True, kw_only=True, tag="tensor"):
    """An input in the shared arena: a buffer of ``span`` elements at ``start`` bytes, viewed
    from element ``offset`` with the given shape and strides (in elements)."""

    dtype: str
    start: int
    span: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Plain(Message, frozen=True, kw_only=True, tag="plain"):
    """A scalar argument."""

    value: Scalar


class Handle(Message, frozen=True, kw_only=True, tag="handle"):
    """An object that stays in the learner's process, by its number there."""

    number: int


def handle(call: int, place: int) -> int:
    """The number of what the call of that number returned at one of its places."""
    return call * MAX_OUTPUTS + place


class Kind(Message, frozen=True, kw_only=True, tag="kind"):
    """A dtype, by its name."""

    dtype: str


class Several(Message, frozen=True, kw_only=True, tag="several"):
    """A list of arguments, or a tuple of them."""

    items: tuple[TensorAt | Plain | Handle | Kind, ...]
    fixed: bool = False


Arg = TensorAt | Plain | Handle | Kind | Several


class Load(Message, frozen=True, kw_only=True, tag="load"):
    """Load the submission and find what it must define."""


class Call(Message, frozen=True, kw_only=True, tag="call"):
    """Call the entry with inputs from the arena. ``meter`` says how it is measured:
    "" not at all, "dispatch", "profile", "session" (storages are followed from call to call)
    or "count" (a numpy flop count).
    With ``hold`` the reply comes without tensors, and Fetch asks for them: what the process
    takes to send its outputs is then not part of the call.

    A script of calls names what is called: a function or class of the submission, or with
    ``target`` a method of an object that an earlier call returned. ``anew`` forgets those.
    With ``opaque`` the result stays in the learner's process whatever it is. One that stays has
    the number that `handle` gives. A call with ``ahead`` was sent before the answer to the one
    before it was read: it is not made when that one raised, unless by an exception that it
    ``raises``.

    ``gradients`` are the places of arguments to differentiate by; the outputs are weighted by
    the ``cotangents``, and the gradients come back behind the outputs."""

    number: int
    args: tuple[Arg, ...]
    meter: str = ""
    hold: bool = False
    name: str = ""
    target: int | None = None
    anew: bool = False
    opaque: bool = False
    ahead: bool = False
    raises: str = ""
    gradients: tuple[int, ...] = ()
    cotangents: tuple[TensorAt, ...] = ()


class Fetch(Message, frozen=True, kw_only=True, tag="fetch"):
    """Send the outputs of the call that was held."""

    number: int


class Rest(Message, frozen=True, kw_only=True, tag="rest"):
    """Give back to the system what the allocator holds but nothing uses."""

    number: int


Order = Load | Call | Fetch | Rest


# --- learner to judge ----------------------------------------------------------------------

# The submission can write replies itself, so whatever is in one is bounded before it is read.
Short = Annotated[str, msgspec.Meta(max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=4000)]
Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]


class SaidFrame(Message, frozen=True, kw_only=True):
    """A frame as the learner's process tells it."""

    line: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
    function: Text
    text: Text


class Said(Message, frozen=True, kw_only=True):
    """An exception as the learner's process tells it."""

    kind: Short
    message: Text
    frames: Annotated[tuple[SaidFrame, ...], msgspec.Meta(max_length=8)] = ()


class Array(Message, frozen=True, kw_only=True):
    """What kind of thing the entry returned at one place; data travels as safetensors."""

    kind: Short
    """``tensor``, or the name of the type that came instead of one."""
    value: bool | int | float | Short | None = None
    """A number or a short text, in a script of calls."""
    stays: bool = False
    """An object that stays in the learner's process; its number is that of its place."""


class Stray(Message, frozen=True, kw_only=True):
    """An access of a kernel where there is no element.

    arg     the place of the input beside which it lies; -1 where it is none
    name    where it is none, the kernel's own name of the tensor beside which it lies, or ""
    by      elements past the end, negative before the start; 0 between elements
    line    of the submission, or 0
    """

    arg: Annotated[int, msgspec.Meta(ge=-1, le=64)]
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    by: Annotated[int, msgspec.Meta(ge=-(1 << 40), le=1 << 40)]
    writes: bool
    line: Annotated[int, msgspec.Meta(ge=0, le=1 << 20)]


class Reply(Message, frozen=True, kw_only=True):
    """The answer to one order, read as data.

    outputs   what the entry returned, place by place
    several   whether that was a tuple or a list
    tensors   the tensors among them as one safetensors blob, named by their place
    readings  what the meters read in the learner's process; the witnesses check it. What is
              held is negative after a call that let go of more than it took
    freed     bytes that a call of a script gave back beyond what it took
    refused   a library attention that the call went through
    patched   a part of the meters that is not the one they were loaded with
    stray     the first access of a kernel that has no element
    """

    number: int
    raised: Said | None = None
    outputs: Annotated[tuple[Array, ...], msgspec.Meta(max_length=MAX_OUTPUTS)] = ()
    several: bool = False
    tensors: bytes = b""
    readings: Annotated[dict[Short, Count], msgspec.Meta(max_length=16)] = {}
    freed: Count = 0
    refused: Short = ""
    patched: Short = ""
    stray: Stray | None = None


# --- frames --------------------------------------------------------------------------------


class Closed(Exception):
    """The other end of the pipe is gone."""


class Malformed(Exception):
    """The other end wrote something that is no message."""


_HEADER = struct.Struct("<Q")


def send(fd: int, message: msgspec.Struct) -> None:
    """Write one message; raises Closed."""
    body = msgspec.msgpack.encode(message)
    view = memoryview(_HEADER.pack(len(body)) + body)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except BrokenPipeError as error:
        raise Closed from error


def receive(fd: int, kind: Any, limit: int = MAX_FRAME) -> Any:
    """Read one message of the given type; raises Closed or Malformed."""
    (length,) = _HEADER.unpack(_exactly(fd, _HEADER.size))
    if length > limit:
        raise Malformed(f"a message of {length} bytes")
    try:
        return msgspec.msgpack.decode(_exactly(fd, length), type=kind)
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
