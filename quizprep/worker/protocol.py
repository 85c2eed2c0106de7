"""Orders of the judge to the learner, and the learner's replies.

The submission can write replies itself, so every field of a reply is bounded when it is parsed.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from quizprep.grading.verdict import Raised, Scalar
from quizprep.grading.wire import Message

MAX_OUTPUTS = 16
"""Further outputs of a call are ignored."""

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


class ScalarArg(Message, frozen=True, kw_only=True, tag="scalar"):
    """A scalar argument."""

    value: Scalar


class Handle(Message, frozen=True, kw_only=True, tag="handle"):
    """An object that stays in the learner's process, by its number there."""

    number: int


def handle(call: int, place: int) -> int:
    """The handle number of one output of a call, by the call's number and the output's place."""
    return call * MAX_OUTPUTS + place


class DTypeArg(Message, frozen=True, kw_only=True, tag="dtype"):
    """A dtype, by its name."""

    dtype: str


class ListArg(Message, frozen=True, kw_only=True, tag="list"):
    """A list of arguments, or a tuple of them."""

    items: tuple[TensorAt | ScalarArg | Handle | DTypeArg, ...]
    is_tuple: bool = False


Arg = TensorAt | ScalarArg | Handle | DTypeArg | ListArg


class Load(Message, frozen=True, kw_only=True, tag="load"):
    """Load the submission and find what it must define."""


class Call(Message, frozen=True, kw_only=True, tag="call"):
    """Call the entry, or in a script any function, class or method, with inputs from the arena.

    meter          "" (none), "dispatch", "lines" (the same by line), "profile", "allocations" (the
                   same by line), "session" (storages are followed from call to call), "session
                   lines" (the same by line), "count" (numpy's flops) or "launch" (kernels are not
                   run, only noted)
    defer_outputs  reply without tensors, and wait for a Fetch: the memory that serialising the
                   outputs takes is then not part of the call
    name           in a script: the function or class, or with ``target`` the method of an object
                   that an earlier call returned
    reset_objects  first forget the objects of earlier calls
    opaque         keep the result in the learner's process, whatever it is; see `handle`
    pipelined      sent before the reply to the previous call was read: skip it if that call
                   raised, unless it raised the exception that it names in ``raises``
    gradients      places of the arguments to differentiate by; the outputs are weighted by the
                   ``cotangents``, and the gradients are returned behind the outputs
    overwrite      the tensors among the arguments are copies, which are overwritten after the call
    as_gpu         a `GpuKind` that kernels do as on a GPU in this call
    """

    number: int
    args: tuple[Arg, ...]
    meter: str = ""
    defer_outputs: bool = False
    name: str = ""
    target: int | None = None
    reset_objects: bool = False
    opaque: bool = False
    pipelined: bool = False
    raises: str = ""
    gradients: tuple[int, ...] = ()
    cotangents: tuple[TensorAt, ...] = ()
    overwrite: bool = False
    candidate: int = -1
    max_steps: int = 0
    as_gpu: str = ""


class Fetch(Message, frozen=True, kw_only=True, tag="fetch"):
    """Send the outputs that a call deferred."""

    number: int


class TrimMemory(Message, frozen=True, kw_only=True, tag="trim"):
    """Collect garbage and return the allocator's free blocks to the system."""

    number: int


class ListEdits(Message, frozen=True, kw_only=True, tag="edits"):
    """List the small edits of the lines that candidate 0 has executed; reply with their number."""

    number: int


class DescribeEdit(Message, frozen=True, kw_only=True, tag="edit"):
    """Describe one of these edits."""

    number: int
    edit: int


class TraceValues(Message, frozen=True, kw_only=True, tag="values"):
    """Call the entry with inputs from the arena, and reply with the arrays that its variables held,
    line by line."""

    number: int
    args: tuple[Arg, ...]


Order = Load | Call | Fetch | TrimMemory | ListEdits | DescribeEdit | TraceValues


# --- learner to judge ----------------------------------------------------------------------

Short = Annotated[str, msgspec.Meta(max_length=200)]
Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
Disturbed = Literal["", "result", "list", "dtype", "device", "gradients"]
"""What of the caller's a call changed: a result that was returned earlier, a list that it was
given, or a setting of torch (default dtype, default device, recording of gradients)."""


class Output(Message, frozen=True, kw_only=True):
    """One output of a call; the data of tensors travels as safetensors."""

    kind: Short
    """``tensor``, or the name of another type."""
    value: bool | int | float | Short | None = None
    """A number or a short text, in a script of calls."""
    is_handle: bool = False
    """An object that stays in the learner's process; its number is that of its place."""


class InvalidAccess(Message, frozen=True, kw_only=True):
    """A kernel's access to memory that is no element of a tensor.

    arg     the place of the input in whose guard zones or gaps it lies; -1 if in none
    name    without ``arg``: the kernel's parameter of the tensor that it overruns, or ""
    by      elements past the end, negative before the start; 0 in a gap between elements
    line    of the submission, or 0
    """

    arg: Annotated[int, msgspec.Meta(ge=-1, le=64)]
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    by: Annotated[int, msgspec.Meta(ge=-(1 << 40), le=1 << 40)]
    writes: bool
    line: Annotated[int, msgspec.Meta(ge=0, le=1 << 20)]


class Race(Message, frozen=True, kw_only=True):
    """An element that several programs of a launch access, at least one of them with a plain store.

    name    the kernel's parameter of the tensor
    index   the element's indices; empty if they are not known
    line    of the submission, or 0
    """

    name: Annotated[str, msgspec.Meta(max_length=200)]
    index: Annotated[tuple[Annotated[int, msgspec.Meta(ge=0)], ...], msgspec.Meta(max_length=8)]
    line: Annotated[int, msgspec.Meta(ge=0, le=1 << 20)]


GpuKind = Literal["unfilled", "tf32", "order"]
"""What is otherwise on a GPU: masked lanes that a load without ``other`` leaves as they are,
products of float32 tiles whose factors are rounded to TF32, and several programs, which run in no
order."""

Line = Annotated[int, msgspec.Meta(ge=0, le=1 << 20)]
Code = Annotated[str, msgspec.Meta(max_length=500)]

MAX_BOUNDED = 4
"""Names of operations without a price, in one reply."""

MAX_TRACED = 256
"""Arrays in the reply to a TraceValues."""


class UnlikeGpu(Message, frozen=True, kw_only=True):
    """Something that a kernel uses and that is otherwise on a GPU, with its first line."""

    kind: GpuKind
    line: Line


class EditText(Message, frozen=True, kw_only=True):
    """An edit: the line that it changes, as it is in the file, and the code before and after.

    places  how many places it changes, all in the same way
    """

    line: Line
    text: Code
    before: Code
    after: Code
    places: Count = 1


class Value(Message, frozen=True, kw_only=True):
    """A value that a kernel uses or is launched with, as far as Triton's compiler needs it.

    kind   plain: ``value`` itself; constexpr: ``value`` as a ``tl.constexpr``; dtype: Triton's
           dtype of the name ``value``; module and member: the module, or the member of a module,
           whose dotted name is ``value``; kernel and helper: the function at ``line``, which is
           another kernel or a ``triton.constexpr_function``; other: nothing that a kernel can use,
           described by ``value``
    """

    kind: Literal["plain", "constexpr", "dtype", "module", "member", "kernel", "helper", "other"]
    value: bool | int | float | Short | None = None
    line: Line = 0


Names = Annotated[dict[Short, Value], msgspec.Meta(max_length=64)]


class Kernel(Message, frozen=True, kw_only=True):
    """A function of the submission that Triton compiles: its line, decorators included, and what
    the names mean that it takes from outside. The default of a parameter is under its name and
    ``=``, what it takes of a module that is not Triton's under both names: ``np.inf``."""

    name: Short
    line: Line
    names: Names


class Launch(Message, frozen=True, kw_only=True):
    """How a kernel was launched: for each parameter its type and how it is specialised, in the
    words of Triton's compiler, and the values that are constants to it.

    kernel     the kernel's line
    types      of each parameter, in order: ``*fp32``, ``i32``, ``constexpr``; of a tuple those of
               its parts, as Python writes them
    constants  by parameter; of part 1 of a tuple ``t`` by ``t.1``
    aligned    what is known to be divisible by 16, in the same way
    options    such as ``num_warps``
    """

    kernel: Line
    types: Annotated[dict[Short, Short], msgspec.Meta(max_length=64)]
    constants: Names
    aligned: Annotated[tuple[Short, ...], msgspec.Meta(max_length=64)] = ()
    options: Annotated[dict[Short, int], msgspec.Meta(max_length=8)] = msgspec.field(
        default_factory=dict
    )


MAX_LAUNCHES = 8
"""Launches, and kernels, in one reply; what is new beyond these comes with a later one."""


class LineWork(Message, frozen=True, kw_only=True):
    """What one line did in a metered call; line 0 is none of the submission's."""

    line: Line
    flops: Count = 0
    elementwise: Count = 0
    moved_bytes: Count = 0


class Moment(Message, frozen=True, kw_only=True):
    """The moment at which most was alive at one place that allocates.

    place  tells places apart; the same at all sizes
    line   of the place
    alive  bytes by the line that made them
    """

    place: Short
    line: Line
    alive: Annotated[dict[Line, Count], msgspec.Meta(max_length=256)]


class Reply(Message, frozen=True, kw_only=True):
    """The answer to one order, parsed as data.

    outputs         what the entry returned, place by place
    is_sequence     whether that was a tuple or a list
    tensors         the tensors among the outputs as one safetensors blob, named by their place
    readings        of the meters in the learner's process, which the witnesses check
    freed           bytes that a call of a script freed beyond those it allocated; ``held_bytes``
                    is then 0
    banned          the library's own attention that the call used, by name
    patched         a part of the meters that the submission has replaced, by name
    invalid_access  the kernel's first one
    race            the first one between programs of a launch
    unlike_gpu      what its kernels use that is otherwise on a GPU
    disturbed       what of the caller's the call changed, beside its input tensors
    steps           of loops and functions, in the call of a candidate
    edits           the number of edits
    edit            a description of one
    lines           of traced values: for each tensor by its place, the line that made it
    work            of a metered call, by line
    moments         of a metered call, at which much was alive
    bounded         operations of a metered call whose work is an upper bound
    kernels         that were launched for the first time, and those that they call
    launches        that were unlike all earlier ones
    """

    number: int
    raised: Raised | None = None
    outputs: Annotated[tuple[Output, ...], msgspec.Meta(max_length=MAX_OUTPUTS)] = ()
    is_sequence: bool = False
    tensors: bytes = b""
    readings: Annotated[dict[Short, Count], msgspec.Meta(max_length=16)] = msgspec.field(
        default_factory=dict
    )
    freed: Count = 0
    banned: Short = ""
    patched: Short = ""
    invalid_access: InvalidAccess | None = None
    race: Race | None = None
    unlike_gpu: Annotated[tuple[UnlikeGpu, ...], msgspec.Meta(max_length=3)] = ()
    disturbed: Disturbed = ""
    steps: Count = 0
    edits: Count = 0
    edit: EditText | None = None
    lines: Annotated[tuple[Line, ...], msgspec.Meta(max_length=MAX_TRACED)] = ()
    work: Annotated[tuple[LineWork, ...], msgspec.Meta(max_length=256)] = ()
    moments: Annotated[tuple[Moment, ...], msgspec.Meta(max_length=256)] = ()
    bounded: Annotated[tuple[Short, ...], msgspec.Meta(max_length=MAX_BOUNDED)] = ()
    kernels: Annotated[tuple[Kernel, ...], msgspec.Meta(max_length=MAX_LAUNCHES)] = ()
    launches: Annotated[tuple[Launch, ...], msgspec.Meta(max_length=MAX_LAUNCHES)] = ()
