"""Orders of the judge to the learner, and the learner's replies.

The submission can write replies itself, so whatever is in one is bounded before it is read.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from quizprep.grading.verdict import Raised, Scalar
from quizprep.grading.wire import Message

MAX_OUTPUTS = 16
"""Results of one call that are looked at."""

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
Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]


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
    raised: Raised | None = None
    outputs: Annotated[tuple[Array, ...], msgspec.Meta(max_length=MAX_OUTPUTS)] = ()
    several: bool = False
    tensors: bytes = b""
    readings: Annotated[dict[Short, Count], msgspec.Meta(max_length=16)] = msgspec.field(
        default_factory=dict
    )
    freed: Count = 0
    refused: Short = ""
    patched: Short = ""
    stray: Stray | None = None
