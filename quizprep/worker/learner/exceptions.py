"""Exceptions of a submission, as its author should see them."""

from __future__ import annotations

import traceback

from quizprep.grading.verdict import Frame, Raised

MAX_NESTED_KERNELS = 8
"""Kernels calling each other through which an exception is followed."""


NO_DEBUGGER = (
    "there is no terminal here for a debugger; quizprep grade --save-case FILE.py writes a case "
    "that you can debug"
)


def raised(error: BaseException, file: str) -> Raised:
    """An exception as the learner should see it: only with the submission's own frames. Without a
    ``file`` it has none, which saves most of the time."""
    frames = []
    for _ in range(MAX_NESTED_KERNELS if file else 0):
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == file:
                frames.append(_frame(frame.lineno, frame.name, frame.line))
        # Triton's interpreter wraps an exception inside a kernel in one of its own.
        if type(error).__name__ != "InterpreterError" or error.__cause__ is None:
            break
        error = error.__cause__
    if isinstance(error, SyntaxError) and error.filename == file:
        frames = [_frame(error.lineno, "", (error.text or "").strip())]
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:  # an exception of the submission's own, whose __str__ raises
        message = ""
    if type(error).__name__ == "BdbQuit":
        message = NO_DEBUGGER
    return Raised(
        kind=short(type(error).__name__, 200),
        message=short(message, 2000),
        frames=tuple(frames[-6:]),
    )


def _frame(line: int | None, function: str, text: str | None) -> Frame:
    return Frame(line=line or 0, function=short(function, 200), text=short(text or "", 500))


def short(text: str, length: int) -> str:
    """At most ``length`` characters, without lone surrogates, which msgpack cannot encode."""
    return str(text)[:length].encode("utf-8", "replace").decode()
