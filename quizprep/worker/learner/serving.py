"""The learner's process: confined first, then the submission is loaded and called on order.

It never holds the reference, the mistakes, the solution or an expected output. It reads
orders from one pipe, answers on another, and leaves by ``os._exit``. Whatever the submission
does in here - and it can do anything to this process - ends in an answer that the judge reads
as data, or in none.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import linecache
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from quizprep.grading import wire
from quizprep.grading.verdict import Frame, Raised
from quizprep.worker import arena, protocol
from quizprep.worker.backends import Backend
from quizprep.worker.learner.instruments import Instruments

MODULE_NAME = "submission"


WRAPPED = 8
"""Kernels at most, one calling the other, through which an exception is followed."""


def raised(error: BaseException, file: str) -> Raised:
    """An exception as the learner should see it: the frames of the submission only."""
    frames = []
    for _ in range(WRAPPED):
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == file:
                frames.append(_frame(frame.lineno, frame.name, frame.line))
        # What was raised inside a kernel Triton's interpreter raises once more as its own.
        if type(error).__name__ != "InterpreterError" or error.__cause__ is None:
            break
        error = error.__cause__
    if isinstance(error, SyntaxError) and error.filename == file:
        frames = [_frame(error.lineno, "", (error.text or "").strip())]
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:  # an exception of the submission's own, whose __str__ raises
        message = ""
    return Raised(
        kind=_short(type(error).__name__, 200),
        message=_short(message, 2000),
        frames=tuple(frames[-6:]),
    )


def _frame(line: int | None, function: str, text: str | None) -> Frame:
    return Frame(line=line or 0, function=_short(function, 200), text=_short(text or "", 500))


def _short(text: str, length: int) -> str:
    """At most so long, and no lone surrogates, which no frame can carry."""
    return str(text)[:length].encode("utf-8", "replace").decode()


def load_module(path: str, name: str = MODULE_NAME) -> ModuleType:
    """Execute a file as a module. It is registered first: dataclasses look themselves up, and
    Triton's interpreter reads the source of a kernel from its file."""
    # Whatever the file is called, it is Python.
    loader = SourceFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    linecache.checkcache(path)
    loader.exec_module(module)
    return module


class Opaque:
    """A result that is not looked into: what is a handle to the submission may be a list."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Learner:
    """Answers the judge's orders with the submission."""

    def __init__(
        self, backend: Backend, runtime: str, path: str, entries: Sequence[str], memory: Any
    ) -> None:
        self.backend = backend
        self.runtime = runtime
        self.path = path
        self.names = tuple(entries)
        self.memory = memory
        self.entries: dict[str, Any] = {}
        self.kept: dict[int, Any] = {}
        self.stopped = False
        """The last call of a script raised; what was sent ahead of that is not called."""
        self.session: Any = None
        self.instruments = Instruments(runtime)
        self.ban = self.instruments.ban_library_attention()
        self.seal = self.instruments.seal()
        self.trim: Callable[[int], Any] = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)
        self.held: tuple[int, Any] | None = None

    def answer(self, order: protocol.Order) -> protocol.Reply:
        """The reply to one order; an exception of the submission is part of a reply."""
        match order:
            case protocol.Load():
                try:
                    module = load_module(self.path)
                    self.entries = {name: getattr(module, name, None) for name in self.names}
                except BaseException as error:
                    return protocol.Reply(number=0, raised=raised(error, self.path))
                kinds = tuple(protocol.Array(kind=_kind(e)) for e in self.entries.values())
                return protocol.Reply(number=0, outputs=kinds)
            case protocol.Call():
                return self._call(order)
            case protocol.Fetch():
                number, result = self.held or (0, None)
                self.held = None
                return self._pack(number, result, {}, "")
            case protocol.Rest():
                gc.collect()
                self.trim(0)
                return protocol.Reply(number=order.number)

    def _call(self, order: protocol.Call) -> protocol.Reply:
        self.stopped = self.stopped and order.ahead
        if self.stopped:
            return protocol.Reply(number=order.number, raised=Raised(kind="", message=""))
        if order.anew:
            self.kept, self.session = {}, None
        name = order.name or self.names[0]
        try:
            args = [self._argument(argument) for argument in order.args]
            owner = self.entries if order.target is None else self.kept[order.target]
            entry = owner[name] if order.target is None else getattr(owner, name)
            if order.cotangents:
                weights = [self._argument(at) for at in order.cotangents]
                entry = self.instruments.differentiated(entry, order.gradients, weights)
            if order.meter == "session":
                self.session = self.session or self.instruments.session()
            with self.instruments.memcheck(order, self.backend, self.memory, self.path) as watched:
                result, readings = self.instruments.measure(
                    entry, args, order.meter, self.backend, self.session
                )
        except BaseException as error:
            self.stopped = type(error).__name__ != order.raises
            return protocol.Reply(
                number=order.number,
                raised=raised(error, self.path),
                refused=self.ban.take() if self.ban else "",
            )
        self.backend.settle()
        if order.meter == "session" and self.session is not None:
            del args
            readings["held_bytes"] += self.session.kept_inputs(result)
        refused = self.ban.take() if self.ban else ""
        if order.hold:
            self.held = (order.number, result)
            return protocol.Reply(number=order.number, refused=refused)
        if order.opaque:
            result = Opaque(result)
        reply = self._pack(order.number, result, readings, refused, scripted=bool(order.name))
        stray = watched.stray if watched is not None else None
        return msgspec.structs.replace(reply, stray=stray) if stray is not None else reply

    def _argument(self, argument: protocol.Arg) -> Any:
        match argument:
            case protocol.TensorAt():
                return self.backend.view(self.memory, argument)
            case protocol.Handle(number=number):
                return self.kept[number]
            case protocol.Kind(dtype=dtype):
                return self.backend.kind(dtype)
            case protocol.Several(items=items):
                several = [self._argument(item) for item in items]
                return tuple(several) if argument.fixed else several
            case protocol.Plain(value=value):
                return value

    def _pack(
        self,
        number: int,
        result: Any,
        readings: dict[str, int],
        refused: str,
        scripted: bool = False,
    ) -> protocol.Reply:
        several = isinstance(result, tuple | list)
        places = result if several else (result,)
        kinds, tensors = [], {}
        for place, value in enumerate(places[: protocol.MAX_OUTPUTS]):
            if self.backend.is_array(value) and self.backend.is_plain(value):
                kinds.append(protocol.Array(kind="tensor"))
                tensors[str(place)] = value
            elif scripted:
                kinds.append(self._kept(protocol.handle(number, place), value))
            else:
                kinds.append(protocol.Array(kind=_short(type(value).__name__, 200)))
        try:
            blob = self.backend.pack(tensors) if tensors else b""
        except BaseException as error:
            return protocol.Reply(number=number, raised=raised(error, self.path))
        held = readings.get("held_bytes", 0)
        return protocol.Reply(
            number=number,
            outputs=tuple(kinds),
            several=several,
            tensors=blob,
            readings=readings | ({"held_bytes": 0} if held < 0 else {}),
            freed=max(-held, 0),
            refused=refused,
            patched=_short(self.seal.broken(), 200) if readings else "",
        )

    def _kept(self, number: int, value: Any) -> protocol.Array:
        """A result of a script's call: a number or short text goes over, an object stays."""
        kind = _short(type(value).__name__, 200)
        if value is None or type(value) in (bool, int, float):
            return protocol.Array(kind=kind, value=value)
        if type(value) is str:
            return protocol.Array(kind=kind, value=_short(value, 200))
        self.kept[number] = value.inner if isinstance(value, Opaque) else value
        return protocol.Array(kind=kind, stays=True)


def _kind(entry: Any) -> str:
    """What was found under a name: something to call, nothing, or a thing of some type."""
    if callable(entry):
        return "callable"
    return "missing" if entry is None else _short(type(entry).__name__, 200)


SHARED = ("quizprep", "quizprep.exercise")
"""What an exercise's own files import when they are graded as submissions."""


def _hide_grader() -> None:
    """Importing ours then gives a copy that measures nothing, or nothing at all."""
    root = sys.modules["quizprep"]
    for name in [name for name in sys.modules if name.startswith("quizprep.")]:
        if name not in SHARED:
            del sys.modules[name]
            root.__dict__.pop(name.split(".")[1], None)


def main(
    orders: int,
    answers: int,
    memory_fd: int,
    backend: Backend,
    runtime: str,
    path: str,
    entries: Sequence[str],
) -> None:
    """Serve orders until the pipe closes; the caller has confined this process already."""
    sys.argv = [Path(path).name]
    sys.dont_write_bytecode = True
    learner = Learner(backend, runtime, path, entries, arena.attach(memory_fd))
    os.close(memory_fd)
    _hide_grader()
    while True:
        try:
            wire.send(answers, learner.answer(wire.receive(orders, protocol.Order)))
        except (wire.Closed, wire.Malformed, msgspec.MsgspecError):
            return
