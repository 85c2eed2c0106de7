"""The learner's process: confined first, then the submission is loaded and called on order.

It never holds the reference, the mistakes, the solution or an expected output. It reads
orders from one pipe, answers on another, and leaves by ``os._exit``. Whatever the submission
does in here - and it can do anything to this process - ends in an answer that the judge reads
as data, or in none.
"""

from __future__ import annotations

import importlib.util
import linecache
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from quizprep.grading import wire
from quizprep.worker import arena
from quizprep.worker.backends import Backend, backend_for

MODULE_NAME = "submission"


def raised(error: BaseException, file: str) -> wire.Raised:
    """An exception as the learner should see it: the frames of the submission only."""
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == file:
            frames.append(
                wire.Frame(line=frame.lineno or 0, function=frame.name, text=frame.line or "")
            )
    if isinstance(error, SyntaxError) and error.filename == file:
        text = (error.text or "").strip()
        frames = [wire.Frame(line=error.lineno or 0, function="", text=text)]
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return wire.Raised(
        kind=type(error).__name__, message=str(message)[:2000], frames=tuple(frames[-6:])
    )


def load_module(path: str, name: str = MODULE_NAME) -> ModuleType:
    """Execute a file as a module. It is registered first: dataclasses look themselves up, and
    Triton's interpreter reads the source of a kernel from its file."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    linecache.checkcache(path)
    spec.loader.exec_module(module)
    return module


class Learner:
    """Answers the judge's orders with the submission."""

    def __init__(self, runtime: str, path: str, entry: str, memory: Any) -> None:
        self.backend: Backend = backend_for(runtime)
        self.runtime = runtime
        self.path = path
        self.entry_name = entry
        self.memory = memory
        self.entry: Callable[..., Any] | None = None

    def answer(self, order: wire.Order) -> wire.Reply:
        """The reply to one order; an exception of the submission is part of a reply."""
        match order:
            case wire.Load():
                try:
                    self.entry = getattr(load_module(self.path), self.entry_name, None)
                except BaseException as error:
                    return wire.Reply(number=0, raised=raised(error, self.path))
                kind = "callable" if callable(self.entry) else "missing"
                if self.entry is not None and kind == "missing":
                    kind = type(self.entry).__name__
                return wire.Reply(number=0, outputs=(wire.Array(kind=kind),))
            case wire.Call():
                return self._call(order)
        raise AssertionError(order)

    def _call(self, order: wire.Call) -> wire.Reply:
        args = [
            self.backend.view(self.memory, a) if isinstance(a, wire.TensorAt) else a.value
            for a in order.args
        ]
        assert self.entry is not None
        try:
            result, readings, refused = measure(
                self.entry, args, order.meter, self.runtime, self.backend
            )
        except BaseException as error:
            return wire.Reply(number=order.number, raised=raised(error, self.path))
        return self._pack(order.number, result, readings, refused)

    def _pack(self, number: int, result: Any, readings: dict[str, int], refused: str) -> wire.Reply:
        places = result if isinstance(result, tuple | list) else (result,)
        kinds, tensors = [], {}
        for place, value in enumerate(places[:16]):
            if self.backend.is_array(value) and self.backend.is_plain(value):
                kinds.append(wire.Array(kind="tensor"))
                tensors[str(place)] = value
            else:
                kinds.append(wire.Array(kind=type(value).__name__))
        try:
            blob = self.backend.pack(tensors) if tensors else b""
        except BaseException as error:
            return wire.Reply(number=number, raised=raised(error, self.path))
        return wire.Reply(
            number=number,
            outputs=tuple(kinds),
            tensors=blob,
            readings=readings,
            refused=refused,
        )


def measure(
    entry: Callable[..., Any], args: Sequence[Any], meter: str, runtime: str, backend: Backend
) -> tuple[Any, dict[str, int], str]:
    """Call the entry under a meter; returns (result, readings, library attention used).

    The judge measures the solution with this same function, in its own process.
    """
    if runtime == "numpy":
        return (*_measure_numpy(entry, args, meter), "")
    from quizprep.worker import meters

    def tensors(result: Any) -> list[Any]:
        places = result if isinstance(result, tuple | list) else (result,)
        return [value for value in places if backend.is_array(value)]

    if meter == "profile":
        result, peak = meters.peak_by_profiler(lambda: entry(*args), tensors)
        return result, {"peak_bytes": peak}, ""
    if meter == "dispatch" and runtime == "triton":
        return (*_measure_triton(entry, args, tensors), "")
    if meter == "dispatch":
        counted = meters.Meters([a for a in args if backend.is_array(a)])
        with counted:
            result = entry(*args)
        return result, counted.readings(tensors(result)), counted.refused
    with meters.LibraryAttention() as guard:
        result = entry(*args)
    return result, {}, guard.used


def _measure_triton(
    entry: Callable[..., Any], args: Sequence[Any], tensors: Callable[[Any], list[Any]]
) -> tuple[Any, dict[str, int]]:
    """Traffic from the interpreter's builder; memory from the host's tensors."""
    from quizprep.worker import meters, traffic

    with traffic.counting() as counted:
        host = meters.HostMemory([a for a in args if hasattr(a, "untyped_storage")])
        with host:
            result = entry(*args)
        memory = host.readings(tensors(result))
    return result, {**memory, **counted.readings()}


def _measure_numpy(
    entry: Callable[..., Any], args: Sequence[Any], meter: str
) -> tuple[Any, dict[str, int]]:
    from quizprep.worker import meters_numpy

    if meter == "dispatch":

        def arrays(result: Any) -> list[Any]:
            places = result if isinstance(result, tuple | list) else (result,)
            return [value for value in places if hasattr(value, "nbytes")]

        result, readings = meters_numpy.peak_bytes(lambda: entry(*args), arrays)
        return result, dict(readings)
    if meter == "count":
        result, counted = meters_numpy.count_flops(entry, args)
        return result, dict(counted or {})
    return entry(*args), {}


def main(orders: int, answers: int, memory_fd: int, runtime: str, path: str, entry: str) -> None:
    """Serve orders until the pipe closes; the caller has confined this process already."""
    sys.argv = [Path(path).name]
    sys.dont_write_bytecode = True
    learner = Learner(runtime, path, entry, arena.attach(memory_fd))
    os.close(memory_fd)
    while True:
        try:
            order = wire.receive(orders, wire.Order)
            if isinstance(order, wire.Stop):
                return
            wire.send(answers, learner.answer(order))
        except (wire.Closed, wire.Malformed, msgspec.MsgspecError):
            return
