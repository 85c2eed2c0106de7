"""One failing case as a Python script that runs without this program, for use with a debugger.

It has the inputs as literals, calls the submission, and compares with what is right for this case.
No code of the reference is in it. The calls of a script of calls are those that the reference's own
objects were given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from quizprep.grading.verdict import CaseResult
from quizprep.grading.wire import Job
from quizprep.worker.backends import Array, Backend
from quizprep.worker.judge.comparison import Expected
from quizprep.worker.judge.exercise_files import Reference, reference_entries
from quizprep.worker.judge.preparation import CaseInputs, unchanged
from quizprep.worker.judge.script import Drive

MAX_NUMBERS = 20_000
"""Numbers in a script, at most."""

_HEAD = '''\
"""A failing case of {exercise}: {case}.

{message}

Run it with:  python {{this file}} [your file]
Set a breakpoint in your file, or run it under a debugger. Inputs have their strides; what lies
around them in memory while quizprep grades does not.
"""

import importlib.util
import os
import sys
{imports}
SUBMISSION = sys.argv[1] if len(sys.argv) > 1 else {{submission}}
inf, nan = float("inf"), float("nan")

spec = importlib.util.spec_from_file_location("submission", SUBMISSION)
submission = sys.modules["submission"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(submission)
differ = 0


{helpers}

def compare(name, got, right, allowed):
    """Print an output beside what is right, and whether it is near enough."""
    global differ
    got = np.asarray({to_numpy}, dtype=float)
    right = np.asarray(right, dtype=float)
    if got.shape != right.shape:
        verdict = f"the shape is {{got.shape}}; it should be {{right.shape}}"
    else:
        with np.errstate(invalid="ignore"):
            near = (np.abs(got - right) <= allowed) | (got == right)
        wrong = int((~near).sum())
        verdict = f"wrong in {{wrong}} of {{near.size}} entries" if wrong else "right"
    differ += verdict != "right"
    print(f"{{name}}: {{verdict}}")
    print("yours:", got, "right:", right, sep="\\n")


'''

_TORCH_HELPER = '''\
def array(values, dtype, shape, strides):
    """A tensor with these strides."""
    made = torch.empty_strided(shape, strides, dtype=getattr(torch, dtype))
    return made.copy_(torch.tensor(values, dtype=made.dtype).reshape(shape))
'''

_NUMPY_HELPER = '''\
def array(values, dtype, shape, strides):
    """An array with these strides, in elements."""
    span = 1 + sum((size - 1) * step for size, step in zip(shape, strides))
    memory = np.zeros(max(span, 1), dtype=dtype)
    steps = [step * memory.itemsize for step in strides]
    made = np.lib.stride_tricks.as_strided(memory, shape, steps)
    made[...] = np.array(values, dtype=dtype).reshape(shape)
    return made
'''


def case_script(
    job: Job,
    result: CaseResult,
    made: CaseInputs,
    expected: Expected,
    reference: Reference,
    backend: Backend,
) -> str:
    """The script, with ``{submission}`` and ``{this file}`` to be filled in; "" if the case is too
    large for literals, or judges gradients."""
    text = _Literals(backend)
    names = [*made.placed.names]
    if made.transform is not unchanged:
        return ""
    given = [f"{name} = {text.of(value)}" for name, value in zip(names, made.args, strict=False)]
    if reference.drive is None:
        outputs = list(job.spec.returns)
        targets = ", ".join(f"got_{name}" for name in outputs)
        calls = [*given, f"{targets} = submission.{job.spec.entries[0]}({', '.join(names)})"]
        calls += [
            text.comparison(name, f"got_{name}", expected, place)
            for place, name in enumerate(outputs)
        ]
    else:
        calls = _recorded(job, made, expected, reference.drive, text)
    if text.numbers > MAX_NUMBERS:
        return ""
    is_numpy = backend.name == "numpy"
    imports = ["import numpy as np", *([] if is_numpy else ["import torch"])]
    if job.spec.runtime == "triton":
        imports.insert(0, '\nos.environ.setdefault("TRITON_INTERPRET", "1")')
    head = _HEAD.format(
        exercise=job.exercise,
        case=result.described(),
        message=result.message.replace("\\", "/").replace('"""', "'''"),
        imports="\n".join(["", *imports, ""]),
        helpers=_NUMPY_HELPER if is_numpy else _TORCH_HELPER,
        to_numpy="got" if is_numpy else "torch.as_tensor(got).double()",
    )
    return head + "\n".join([*calls, "", "sys.exit(differ > 0)", ""])


@dataclass
class _Literals:
    """Writes values as Python, and counts the numbers in them."""

    backend: Backend
    numbers: int = 0

    def of(self, value: Any) -> str:
        """A value as an expression."""
        if isinstance(value, _Named):
            return value.name
        if (dtype := self.backend.kind_name(value)) is not None:
            return f"np.dtype({dtype!r})" if self.backend.name == "numpy" else f"torch.{dtype}"
        if self.backend.is_array(value):
            return self._array(value)
        if isinstance(value, list | tuple):
            items = ", ".join(self.of(item) for item in value)
            return f"[{items}]" if isinstance(value, list) else f"({items},)"
        return repr(value)

    def _array(self, value: Array) -> str:
        dtype, shape = self.backend.dtype(value), tuple(value.shape)
        strides = (
            tuple(value.stride())
            if self.backend.name == "torch"
            else tuple(step // value.itemsize for step in value.strides)
        )
        exact = self.backend.exact(value)
        numbers = _short(exact, dtype) if self.backend.is_floating(value) else _whole(exact, dtype)
        self.numbers += exact.size
        return f"array({numbers!r}, {dtype!r}, {shape}, {strides})"

    def comparison(self, name: str, got: str, expected: Expected, place: int) -> str:
        """A call that compares an output with what is right."""
        right, allowed = expected.values[place], expected.allowed[place]
        self.numbers += right.size
        most = float(np.max(allowed, initial=0.0))
        return f"compare({name!r}, {got}, {_short(right, 'float32')!r}, {most!r})"


def _short(exact: np.ndarray, dtype: str) -> Any:
    """Numbers with as many digits as their dtype needs."""
    if dtype == "float64":
        return exact.tolist()
    flat = [float(str(value)) for value in exact.astype(np.float32).ravel()]
    return np.array(flat).reshape(exact.shape).tolist()


def _whole(exact: np.ndarray, dtype: str) -> Any:
    return exact.astype(bool if dtype == "bool" else np.int64).tolist()


@dataclass(frozen=True)
class _Named:
    """An object of the reference that the script has under a name. Its methods are recorded."""

    api: _Recording
    name: str
    value: Any

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("__"):
            raise AttributeError(method)
        call = getattr(self.value, method)
        return lambda *args: self.api.record(f"{self.name}.{method}", call, args)


class _Recording:
    """The api of a script of calls over the reference, which writes the calls down."""

    def __init__(self, entries: Mapping[str, Any], text: _Literals) -> None:
        self._entries = entries
        self._text = text
        self.lines: list[str] = []
        self._opaque = False
        self.latest = ""
        """The name of the latest result."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self._entries:
            raise AttributeError(name)
        return lambda *args: self.record(f"submission.{name}", self._entries[name], args)

    def record(self, said: str, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        """Make a call, and write it down with a name for its result."""
        self.latest = f"r{len(self.lines) + 1}"
        written = f"{said}({', '.join(self._text.of(argument) for argument in args)})"
        try:
            result = function(*map(_plain, args))
        except Exception as error:
            right = f"print('right: it raises {type(error).__name__}')"
            self.lines.append(
                f"try:\n    {written}\n"
                f"except Exception as error:\n    print('yours: it raises', repr(error))\n{right}"
            )
            raise
        self.lines.append(f"{self.latest} = {written}")
        plain = result is None or isinstance(result, bool | int | float | list | tuple)
        if not self._opaque and (plain or self._text.backend.is_array(result)):
            return result
        return _Named(self, self.latest, result)

    def meter(self, phase: str) -> AbstractContextManager[None]:
        """Nothing is measured."""
        return nullcontext()

    def ahead(self) -> AbstractContextManager[None]:
        """Nothing is pipelined."""
        return nullcontext()

    def opaque(self, call: Callable[[], Any]) -> Any:
        """The result of the call, which is used as an argument only."""
        self._opaque = True
        try:
            return call()
        finally:
            self._opaque = False

    def raises(self, kind: str, call: Callable[[], Any], guess: bool | None = None) -> bool:
        """Whether the call raises an exception whose class has this name."""
        try:
            call()
        except Exception as error:
            if type(error).__name__ != kind:
                raise
            return True
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, _Named):
        return value.value
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return value


def _recorded(
    job: Job, made: CaseInputs, expected: Expected, drive: Drive, text: _Literals
) -> list[str]:
    """The calls of a script of calls; behind each the comparison of what is an output."""
    api = _Recording(reference_entries(job.folder), text)
    place = 0
    for name, value in drive(api, *made.args):
        several = isinstance(value, list | tuple)
        for number in range(len(value) if several else 1):
            # Whether a call raised is told where it is made.
            if not isinstance(value, bool):
                got = f"{api.latest}[{number}]" if several else api.latest
                label = name if isinstance(name, str) else name[number]
                api.lines.append(text.comparison(label, got, expected, place))
            place += 1
    return api.lines
