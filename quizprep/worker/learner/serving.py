"""The learner's process: it confines itself, then loads the submission and calls it on order.

It never holds the reference, the mistakes, the solution or an expected output. It reads orders
from one pipe, replies on another, and exits by ``os._exit``. The submission can do anything to
this process; the judge then reads a reply as data, or gets none.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.util
import linecache
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from quizprep.grading import wire
from quizprep.grading.verdict import Raised
from quizprep.worker import arena, crash_location, protocol
from quizprep.worker.backends import Backend, backend_for, outputs_of
from quizprep.worker.children import LearnerEnds, detach
from quizprep.worker.learner import confinement, values
from quizprep.worker.learner.callers import Arguments, HeldResults, Settings
from quizprep.worker.learner.candidates import Candidates
from quizprep.worker.learner.exceptions import raised, short
from quizprep.worker.learner.instruments import Instruments

SESSION = ("session", "session lines")
"""The meters of a script's calls."""

BY_LINE = ("lines", "allocations", "session lines")
"""The meters that tell what is alive by line; all but the allocator's events tell of work, too."""

MODULE_NAME = "submission"


def load_module(path: str, name: str = MODULE_NAME) -> ModuleType:
    """Execute a file as a module. It is registered in sys.modules first: dataclasses look their
    module up, and Triton's interpreter reads a kernel's source from the module's file."""
    # An explicit loader, because the file's name may not end in .py.
    loader = SourceFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    linecache.checkcache(path)
    loader.exec_module(module)
    return module


class _Opaque:
    """A result that stays a handle, even if it is a list or a number."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Learner:
    """Executes the judge's orders with the submission."""

    def __init__(
        self, backend: Backend, runtime: str, path: str, entries: Sequence[str], memory: Any
    ) -> None:
        self.backend = backend
        self.runtime = runtime
        self.path = path
        self.names = tuple(entries)
        self.memory = memory
        self.entries: dict[str, Any] = {}
        self.objects: dict[int, Any] = {}
        self.pipeline_failed = False
        """The last call of a script raised, so the pipelined calls behind it are skipped."""
        self.session: Any = None
        self.instruments = Instruments(runtime, path)
        self.ban = self.instruments.ban_library_attention()
        self.instruments.follow_numpy()
        self.launches = self.instruments.record_launches(backend, path)
        self.seal = self.instruments.seal()
        self.trim: Callable[[int], Any] = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)
        self.deferred: tuple[int, Any] | None = None
        self.held = HeldResults(backend)
        self.settings = Settings()
        self.candidates: Candidates | None = None
        """The submission with small edits, once the judge asks for one."""

    def answer(self, order: protocol.Order) -> protocol.Reply:
        """The reply to one order; an exception of the submission is part of the reply."""
        match order:
            case protocol.Load():
                try:
                    module = load_module(self.path)
                    self.entries = {name: getattr(module, name, None) for name in self.names}
                except BaseException as error:
                    return protocol.Reply(number=0, raised=raised(error, self.path))
                kinds = tuple(protocol.Output(kind=_entry_kind(e)) for e in self.entries.values())
                return protocol.Reply(number=0, outputs=kinds)
            case protocol.Call():
                return self._call(order)
            case protocol.Fetch():
                number, result = self.deferred or (0, None)
                self.deferred = None
                return self._pack(number, result)[0]
            case protocol.TrimMemory():
                gc.collect()
                self.trim(0)
                return protocol.Reply(number=order.number)
            case protocol.ListEdits():
                count = self.candidates.count() if self.candidates is not None else 0
                return protocol.Reply(number=order.number, edits=count)
            case protocol.DescribeEdit():
                return protocol.Reply(number=order.number, edit=self._described(order.edit))
            case protocol.TraceValues():
                return self._traced(order)

    def _candidates(self) -> Candidates:
        if self.candidates is None:
            source = Path(self.path).read_bytes()
            kernels = self.runtime == "triton"
            self._be_quiet()
            self.candidates = Candidates(source, self.path, MODULE_NAME, kernels)
        return self.candidates

    def _be_quiet(self) -> None:
        """Discard what is printed from now on: candidates print what the submission does not."""
        null = os.open(os.devnull, os.O_WRONLY)
        for standard in (1, 2):
            os.dup2(null, standard)
        os.close(null)

    def _described(self, number: int) -> protocol.EditText:
        edit = self._candidates().edit(number)
        return protocol.EditText(
            line=edit.line,
            text=short(linecache.getline(self.path, edit.line).strip(), 500),
            before=short(edit.before, 500),
            after=short(edit.after, 500),
            places=len(edit.places) if edit.kind != "order" else 1,
        )

    def _traced(self, order: protocol.TraceValues) -> protocol.Reply:
        """The arrays that the variables of the submission held, line by line."""
        self._be_quiet()
        given = Arguments(self.backend, self.memory, overwrite=False)
        args = [self._argument(argument, given) for argument in order.args]
        found = values.trace(self.entries[self.names[0]], args, self.path, self.backend)
        tensors = {str(place): array for place, (_, array) in enumerate(found)}
        return protocol.Reply(
            number=order.number,
            tensors=self.backend.pack(tensors) if tensors else b"",
            lines=tuple(line for line, _ in found),
        )

    @contextlib.contextmanager
    def _entries(self, order: protocol.Call) -> Iterator[dict[str, Any]]:
        """What the submission, or one of its candidates, defines."""
        if order.candidate < 0:
            yield self.entries
            return
        candidates = self._candidates()
        with candidates.calling(order.candidate, order.max_steps):
            yield vars(candidates.module(order.candidate))

    def _call(self, order: protocol.Call) -> protocol.Reply:
        reply = self._called(order)
        if order.candidate < 0 or self.candidates is None:
            return reply
        return msgspec.structs.replace(reply, steps=self.candidates.steps)

    def _called(self, order: protocol.Call) -> protocol.Reply:
        self.pipeline_failed = self.pipeline_failed and order.pipelined
        if self.pipeline_failed:
            return protocol.Reply(number=order.number, raised=Raised(kind="", message=""))
        if order.reset_objects:
            self.objects, self.session = {}, None
        if order.meter or order.defer_outputs:
            self.held.clear()
        name = order.name or self.names[0]
        given = Arguments(self.backend, self.memory, order.overwrite)
        try:
            args = [self._argument(argument, given) for argument in order.args]
            with self._entries(order) as entries:
                owner = None if order.target is None else self.objects[order.target]
                entry = entries[name] if owner is None else getattr(owner, name)
                if order.cotangents:
                    weights = [given.tensor(at) for at in order.cotangents]
                    entry = self.instruments.differentiated(entry, order.gradients, weights)
                if order.meter in SESSION:
                    by_line = order.meter in BY_LINE
                    self.session = self.session or self.instruments.session(by_line)
                with (
                    self.instruments.recording(self.launches, order),
                    self.instruments.memcheck(
                        order, self.backend, self.memory, self.path
                    ) as checker,
                ):
                    result, readings = self.instruments.measure(
                        entry, args, order.meter, self.backend, self.session
                    )
        except BaseException as error:
            given.call_ended()
            self.pipeline_failed = type(error).__name__ != order.raises
            return protocol.Reply(
                number=order.number,
                raised=raised(error, self.path if order.candidate <= 0 else ""),
                banned=self.ban.take_used() if self.ban else "",
            )
        self.backend.copy_back()
        disturbed: protocol.Disturbed = "list" if given.list_changed() else self.settings.changed()
        if order.meter in SESSION and self.runtime != "numpy":
            del args
            readings["held_bytes"] += self.session.retained_inputs(result)
        banned = self.ban.take_used() if self.ban else ""
        if order.defer_outputs:
            self.deferred = (order.number, result)
            return protocol.Reply(number=order.number, banned=banned)
        if order.opaque:
            result = _Opaque(result)
        reply, tensors = self._pack(
            order.number, result, readings, banned, scripted=bool(order.name)
        )
        held = tensors and not order.meter and order.candidate < 0
        if held and self.held.hold(tensors, reply.tensors, given.memory):
            disturbed = "result"
        given.call_ended()
        kernels, launches = self.launches.take() if self.launches else ((), ())
        return msgspec.structs.replace(
            reply,
            kernels=kernels,
            launches=launches,
            work=self.instruments.work if order.meter in BY_LINE else (),
            moments=self.instruments.moments if order.meter in BY_LINE else (),
            bounded=self.instruments.bounded if order.meter else (),
            invalid_access=checker.first_invalid if checker is not None else None,
            race=checker.races.first if checker is not None else None,
            unlike_gpu=checker.semantics.found() if checker is not None else (),
            disturbed=disturbed,
        )

    def _argument(self, argument: protocol.Arg, given: Arguments) -> Any:
        match argument:
            case protocol.TensorAt():
                return given.tensor(argument)
            case protocol.Handle(number=number):
                return self.objects[number]
            case protocol.DTypeArg(dtype=dtype):
                return self.backend.kind(dtype)
            case protocol.ListArg(items=items):
                values = [self._argument(item, given) for item in items]
                return tuple(values) if argument.is_tuple else given.list(values)
            case protocol.ScalarArg(value=value):
                return value

    def _pack(
        self,
        number: int,
        result: Any,
        readings: dict[str, int] | None = None,
        banned: str = "",
        scripted: bool = False,
    ) -> tuple[protocol.Reply, dict[str, Any]]:
        """The reply with the outputs of a call, and the tensors among these by place."""
        kinds, tensors = [], {}
        for place, value in enumerate(outputs_of(result)[: protocol.MAX_OUTPUTS]):
            if self.backend.is_plain(value):
                kinds.append(protocol.Output(kind="tensor"))
                tensors[str(place)] = value
            elif scripted:
                kinds.append(self._output(protocol.handle(number, place), value))
            else:
                kinds.append(protocol.Output(kind=short(type(value).__name__, 200)))
        try:
            blob = self.backend.pack(tensors) if tensors else b""
        except BaseException as error:
            return protocol.Reply(number=number, raised=raised(error, self.path)), {}
        readings = readings or {}
        held = readings.get("held_bytes", 0)
        reply = protocol.Reply(
            number=number,
            outputs=tuple(kinds),
            is_sequence=isinstance(result, tuple | list),
            tensors=blob,
            readings=readings | ({"held_bytes": 0} if held < 0 else {}),
            freed=max(-held, 0),
            banned=banned,
            patched=short(self.seal.first_change(), 200) if readings else "",
        )
        return reply, tensors

    def _output(self, number: int, value: Any) -> protocol.Output:
        """An output of a script's call: a number or short text is sent, an object stays as a
        handle."""
        kind = short(type(value).__name__, 200)
        if type(value) is int and value.bit_length() > 63:
            # msgpack has no larger integers; as infinity it is as wrong as it was.
            value = math.copysign(math.inf, value > 0 or -1)
        if value is None or type(value) in (bool, int, float):
            return protocol.Output(kind=kind, value=value)
        if type(value) is str:
            return protocol.Output(kind=kind, value=short(value, 200))
        self.objects[number] = value.inner if isinstance(value, _Opaque) else value
        return protocol.Output(kind=kind, is_handle=True)


def _entry_kind(entry: Any) -> str:
    """What the submission defines under a name: ``callable``, ``missing``, or the name of a
    type."""
    if callable(entry):
        return "callable"
    return "missing" if entry is None else short(type(entry).__name__, 200)


SHARED = ("quizprep", "quizprep.exercise")
"""Modules that an exercise's own files import when they are graded as submissions."""


def _hide_grader() -> None:
    """Remove this program's modules from sys.modules: an import then loads a fresh copy, which
    measures nothing, or fails."""
    root = sys.modules["quizprep"]
    for name in [name for name in sys.modules if name.startswith("quizprep.")]:
        if name not in SHARED:
            del sys.modules[name]
            root.__dict__.pop(name.split(".")[1], None)


def main(nursery: int, ends: LearnerEnds, setup: wire.Setup, path: Path, scratch: Path) -> None:
    """Confine this process, then answer orders until the pipe closes.

    ``path`` is the submission's file, ``scratch`` the only folder that it may write to.
    """
    os.dup2(ends.output, 1)
    os.dup2(ends.output, 2)
    detach(nursery, {*ends.all()} - {ends.output})
    crash_location.enable(ends.crash)
    _reset_environment(setup, scratch)
    os.write(ends.ready, msgspec.msgpack.encode(_confine(setup, path, scratch)))
    os.close(ends.ready)
    backend = backend_for(setup.runtime, setup.device)
    memory = arena.attach(ends.memory)
    if setup.runtime != "numpy":
        from quizprep.worker.learner.torch_bans import keep_one_thread, switch_off_compiler

        switch_off_compiler()
        keep_one_thread()
    learner = Learner(backend, setup.runtime, str(path), setup.entries, memory)
    os.close(ends.memory)
    _hide_grader()
    while True:
        try:
            wire.send(ends.replies, learner.answer(wire.receive(ends.orders, protocol.Order)))
        except (wire.Closed, wire.Malformed, msgspec.MsgspecError):
            return


def _reset_environment(setup: wire.Setup, scratch: Path) -> None:
    """Leave the submission nothing of the nursery's environment, and no end of its pipes."""
    os.chdir(scratch)
    tempfile.tempdir = str(scratch)
    on_gpu = setup.device == "cuda"
    tools = {"PATH": os.environ.get("PATH", "")} if on_gpu else {}
    os.environ.clear()
    os.environ.update(
        TMPDIR=str(scratch),
        HOME=str(scratch),
        TRITON_INTERPRET="0" if on_gpu else "1",
        KINETO_LOG_LEVEL="99",
        # oneDNN compiles a kernel for every shape of a half-precision product, with half a MiB of
        # metadata each, and caches a thousand, which looks like the submission's memory. Two,
        # because attention alternates between two products.
        ONEDNN_PRIMITIVE_CACHE_CAPACITY="2",
        LRU_CACHE_CAPACITY="2",
        **tools,
    )
    sys.stdin = open(os.devnull)
    sys.stdout = open(1, "w", closefd=False, buffering=1)
    sys.stderr = open(2, "w", closefd=False, buffering=1)
    sys.argv = [setup.file_name]
    sys.dont_write_bytecode = True


def _confine(setup: wire.Setup, path: Path, scratch: Path) -> list[str]:
    """Confine this process; returns the parts of the confinement that are missing, in words."""
    if setup.device == "cuda":  # unseen: only on a GPU
        # A GPU's driver opens devices, starts threads and maps more than any limit allows, and
        # Triton's compiler starts processes.
        return ["anything: a GPU's driver cannot work confined"]
    # Threads cannot be started once confined.
    Instruments(setup.runtime).start_threads()
    if not setup.confine:
        return ["everything (switched off)"]
    read = [*confinement.readable(setup.hidden), str(path.parent)]
    return confinement.confine(read, str(scratch), setup.memory_limit)
