"""What the judge asks the compiler, and its answer."""

from __future__ import annotations

from typing import Annotated

import msgspec

from quizprep.grading.verdict import CompiledKernel, Raised
from quizprep.grading.wire import Message
from quizprep.worker.protocol import Kernel, Launch, Line

MAX_PTX = 16 << 20
"""Characters of the assembly text of one kernel."""


Lines = Annotated[tuple[Line, ...], msgspec.Meta(max_length=64)]


class Compile(Message, frozen=True, kw_only=True):
    """Compile these launches of a submission.

    number    repeated in the answer
    target    the GPU's compute capability, as 90 for sm_90
    assemble  also make machine code, and say what it takes of the GPU
    """

    number: int
    source: bytes
    target: int
    kernels: tuple[Kernel, ...]
    launches: tuple[Launch, ...]
    assemble: bool = False


class Outcome(Message, frozen=True, kw_only=True):
    """What became of one launch.

    error      why it does not compile; None if it does
    unchecked  it was not compiled, for this reason
    figures    of the machine code, if that was asked for
    narrow     lines whose offsets are computed in 32 bits although they may need more
    """

    error: Raised | None = None
    unchecked: Annotated[str, msgspec.Meta(max_length=500)] = ""
    figures: CompiledKernel | None = None
    narrow: Lines = ()


class Compiled(Message, frozen=True, kw_only=True):
    """The outcome of each launch of a request, in order."""

    number: int
    outcomes: tuple[Outcome, ...]


class Assembly(Message, frozen=True, kw_only=True):
    """What a compiler's child has made of one launch: an error, or assembly text if asked for."""

    error: Raised | None = None
    unchecked: Annotated[str, msgspec.Meta(max_length=500)] = ""
    ptx: Annotated[str, msgspec.Meta(max_length=MAX_PTX)] = ""
    shared: Annotated[int, msgspec.Meta(ge=0, lt=1 << 40)] = 0
    warps: Annotated[int, msgspec.Meta(ge=0, lt=1 << 16)] = 0
    narrow: Lines = ()
