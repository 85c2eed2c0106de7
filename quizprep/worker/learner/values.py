"""The values of a submission's variables, line by line, in one call."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

from quizprep.worker.backends import Array, Backend, Function, outputs_of
from quizprep.worker.protocol import MAX_TRACED

MAX_BYTES = 1 << 18
"""Of all values of one trace together."""

MAX_ELEMENTS = 1 << 13
"""Of one array; the smallest failing case has few."""


def trace(
    entry: Function, args: Sequence[Array], file: str, backend: Backend
) -> list[tuple[int, Array]]:
    """The floating arrays that variables in ``file`` were bound to, in order, each with its line.

    Copies, because a later line may write into an array. An exception of the call ends the trace.
    """
    found: list[tuple[int, Array]] = []
    known: dict[tuple[int, str], bytes] = {}
    """The last value of each variable of each frame."""
    left = MAX_BYTES

    def note(variables: Mapping[str, Any], owner: int, line: int) -> None:
        nonlocal left
        for name, value in list(variables.items()):
            if not (backend.is_plain(value) and backend.is_floating(value)):
                continue
            if not 0 < value.nbytes <= min(8 * MAX_ELEMENTS, left) or len(found) >= MAX_TRACED:
                continue
            values = backend.exact(value)
            content = values.tobytes()
            if known.get((owner, name)) == content:
                continue
            known[owner, name] = content
            if line:
                found.append((line, backend.from_numpy(values.copy())))
                left -= len(content)

    def tracer(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != file:
            return None
        # Before the first line the variables are the arguments.
        previous = 0
        note(frame.f_locals, id(frame), 0)

        def local(frame: FrameType, event: str, result: Any) -> Any:
            nonlocal previous
            if event in ("line", "return"):
                note(frame.f_locals, id(frame), previous)
                previous = frame.f_lineno
            if event == "return":
                returned = {str(p): value for p, value in enumerate(outputs_of(result))}
                note(returned, -id(frame), frame.f_lineno)
            return local

        return local

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        entry(*args)
    except BaseException:
        pass
    finally:
        sys.settrace(before)
    return found
