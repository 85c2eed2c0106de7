"""Scripts of calls: how classes, several functions, and lists of arrays are graded.

An exercise whose ``reference.py`` defines ``drive`` is a script::

    def drive(api, k, v, q):
        cache = api.KVCache(batch=1, ...)
        cache.append(k[:, :, :3], v[:, :, :3])
        yield "o", cache.attend(q)

It yields named outputs, arrays or numbers, one at a time, or several with a tuple of names. The
same script drives the reference's own class, the models of mistakes, the solution's class, and the
learner's. For the last, ``api`` turns each call into an order, and objects stay in the learner's
process. Arguments are slices of the script's inputs, numbers, results of earlier calls, or lists
of these.

- ``with api.meter("append"):`` measures the calls inside as that phase.
- ``api.raises("OutOfPages", lambda: ...)`` says whether the call raised that exception. With a
  ``guess`` the script speculates: it continues as if the guess were right, and on a misprediction
  it is rerun without speculation.
- ``api.opaque(lambda: ...)`` keeps the result in the learner's process, even a list or a number;
  its only use is as an argument of a later call.
- ``with api.ahead():`` pipelines the calls inside: each is sent before the replies to the previous
  ones are read, so that both processes work at once. Their results are futures. They may be
  yielded, passed as arguments, and have their methods called, but have no value yet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import numpy as np

from quizprep.worker import protocol
from quizprep.worker.arena import PlacedInputs
from quizprep.worker.backends import Backend
from quizprep.worker.judge.channel import Channel, LearnerGone
from quizprep.worker.judge.phase_readings import PhaseReadings

Value = Any
"""What a script passes around: arrays, numbers, lists of these, objects of the driven class."""

Function = Callable[..., Value]
Step = tuple[str | tuple[str, ...], Value]
Drive = Callable[..., Iterable[Step]]
Meter = Callable[[str], AbstractContextManager[None]]

IN_FLIGHT = 16
"""Calls that may be sent before the first of them is answered. Their orders fit into a pipe, so the
judge never blocks on a learner that blocks on the judge."""


def in_turns(drive: Drive) -> Drive:
    """A script that is two runs of one, a step of each in turn, so that the objects of both are
    alive together. Its arguments are those of one run and then those of the other; its steps are
    sorted by run."""

    def both(api: Value, *args: Value) -> Iterator[Step]:
        half = len(args) // 2
        runs = [iter(drive(api, *args[:half])), iter(drive(api, *args[half:]))]
        steps: list[list[Step]] = [[], []]
        going = [0, 1]
        while going:
            for number in tuple(going):
                step = next(runs[number], None)
                if step is None:
                    going.remove(number)
                else:
                    steps[number].append(step)
        yield from (*steps[0], *steps[1])

    return both


class Outputs(tuple[Value, ...]):
    """The outputs of a script, in order, with their names."""

    names: tuple[str, ...] = ()


def collect(steps: Iterable[Step]) -> Outputs:
    """Run a script to its end; a list of arrays counts as several outputs of one name."""
    names: list[str] = []
    values: list[Value] = []
    for name, value in list(steps):
        value = value._result() if isinstance(value, RemoteObject) else value
        items = value if isinstance(value, list | tuple) else [value]
        names += [name] * len(items) if isinstance(name, str) else name
        for item in items:
            values.append(np.float64(item) if isinstance(item, bool | int | float) else item)
    outputs = Outputs(values)
    outputs.names = tuple(names)
    return outputs


class LocalApi:
    """The api of a script over objects of this process: reference, models, solution."""

    def __init__(self, entries: Mapping[str, Value], meter: Meter | None = None) -> None:
        self.__dict__.update(entries)
        self._meter = meter

    def meter(self, phase: str) -> AbstractContextManager[None]:
        """Measure the calls inside, if this script is measured at all."""
        return nullcontext() if self._meter is None else self._meter(phase)

    def raises(self, kind: str, call: Callable[[], Value], guess: bool | None = None) -> bool:
        """Whether the call raises an exception whose class has this name."""
        try:
            call()
        except Exception as error:
            if type(error).__name__ != kind:
                raise
            return True
        return False

    def opaque(self, call: Callable[[], Value]) -> Value:
        """The result of the call, for use as an argument only."""
        return call()

    def ahead(self) -> AbstractContextManager[None]:
        """Pipelining: here calls have no latency to hide."""
        return nullcontext()


def script_function(module: Value, drive: Drive) -> Callable[..., Outputs]:
    """A script over the public names of a module or a mapping, as a function of the inputs."""
    entries = module if isinstance(module, Mapping) else vars(module)
    public = {name: value for name, value in entries.items() if not name.startswith("_")}

    def solve(*args: Value) -> Outputs:
        return collect(drive(LocalApi(public), *args))

    return solve


class Misprediction(Exception):
    """A call raised, or did not raise, against the guess that the script continued with."""


class ScriptFailed(Exception):
    """A call of a script failed in the learner's process, as ``reply`` says."""

    def __init__(self, reply: protocol.Reply, call: str) -> None:
        super().__init__(call)
        self.reply = reply
        self.call = call


class RemoteApi:
    """The api of a script over the learner's process."""

    def __init__(
        self,
        channel: Channel,
        placed: PlacedInputs,
        backend: Backend,
        entries: Sequence[str],
        meter: Literal["", "session", "session lines"],
        overwrite: bool = False,
        candidate: int = -1,
        max_steps: int = 0,
    ) -> None:
        """``meter`` is for the calls of the script's phases; without one there are outputs only.
        ``overwrite``, ``candidate`` and ``max_steps`` are as in `protocol.Call`."""
        self._candidate, self._max_steps = candidate, max_steps
        self.steps = 0
        """Steps of a candidate, over all calls."""
        self._meter = meter
        self._overwrite = overwrite
        self._channel = channel
        self._placed = placed
        self._backend = backend
        self._entries = frozenset(entries)
        self._phase = ""
        self._calls = 0
        self._opaque = False
        self._pipelining = False
        self._speculates = True
        """Whether calls may be pipelined at all; False in the rerun after a misprediction."""
        self._raises, self._guess = "", False
        self._pending: deque[RemoteObject] = deque()
        """Results whose replies have not been read, in order."""
        self.readings = PhaseReadings()
        self.disturbed: protocol.Disturbed = ""
        """What of the caller's the calls changed, the first such thing."""
        channel.place(placed)

    def __getattr__(self, name: str) -> Function:
        if name not in self._entries:
            raise AttributeError(name)
        return lambda *args: self._call(name, None, args)

    @contextmanager
    def meter(self, phase: str) -> Iterator[None]:
        """Measure the calls inside; their readings add up under the phase."""
        self._phase = phase if self._meter else ""
        try:
            yield
        finally:
            self._phase = ""

    def raises(self, kind: str, call: Callable[[], Value], guess: bool | None = None) -> bool:
        """Whether the one call inside raises an exception whose class has this name."""
        if self._pipelining and guess is not None:
            self._raises, self._guess = kind, guess
            try:
                call()
            finally:
                self._raises = ""
            return guess
        self.read_replies()
        pipelining, self._pipelining = self._pipelining, False
        try:
            call()
        except ScriptFailed as failed:
            if failed.reply.raised is None or failed.reply.raised.kind != kind:
                raise
            return True
        finally:
            self._pipelining = pipelining
        return False

    def opaque(self, call: Callable[[], Value]) -> Value:
        """The result of the call, for use as an argument only."""
        self._opaque = True
        try:
            return call()
        finally:
            self._opaque = False

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Pipeline the calls inside."""
        self._pipelining = self._speculates
        try:
            yield
        finally:
            self._pipelining = False

    def read_replies(self, leave: int = 0) -> None:
        """Read replies until at most ``leave`` are pending; raises ScriptFailed."""
        while len(self._pending) > leave:
            self._read()

    def discard_replies(self) -> None:
        """Read all replies and ignore them: the script has ended."""
        while self._pending:
            self._channel.receive(self._pending.popleft()._number)

    def restart(self) -> None:
        """Forget the run so far, which has ended; the next run waits for every reply."""
        self._calls, self._speculates = 0, False
        self.readings = PhaseReadings()

    def _call(self, name: str, target: int | None, args: Sequence[Value]) -> Value:
        converted = tuple(self._argument(value) for value in args)
        # A list may be longer than what is left of the pipe.
        has_list = any(isinstance(argument, protocol.ListArg) for argument in converted)
        self.read_replies(0 if has_list or not self._pipelining else IN_FLIGHT - 1)
        order = protocol.Call(
            number=0,
            args=converted,
            meter=self._meter if self._phase else "",
            name=name,
            target=target,
            reset_objects=self._calls == 0,
            opaque=self._opaque,
            pipelined=bool(self._pending),
            raises=self._raises,
            overwrite=self._overwrite,
            candidate=self._candidate,
            max_steps=self._max_steps,
        )
        self._calls += 1
        number = self._channel.start_script_call(order)
        future = RemoteObject(self, number, 0, f"{name}, call {self._calls}", self._phase)
        future._raises, future._guess = self._raises, self._guess
        self._pending.append(future)
        return future if self._pipelining else future._result()

    def _read(self) -> None:
        """Read the reply to the oldest pending call."""
        future = self._pending.popleft()
        reply = self._channel.receive(future._number)
        self.disturbed = self.disturbed or reply.disturbed
        self.steps += reply.steps
        if future._raises and not reply.banned:
            raised = reply.raised is not None and reply.raised.kind == future._raises
            if raised is not future._guess:
                raise Misprediction
            if raised:
                return
        if reply.raised is not None or reply.banned or reply.patched:
            raise ScriptFailed(reply, future._call)
        if future._phase:
            self.readings.add(future._phase, reply.readings)
            self.readings.add(future._phase, {"held_bytes": -reply.freed})
            if self._meter == "session lines":
                self.readings.add_lines(future._phase, reply)
        tensors = self._channel.outputs(reply)
        values = [
            tensors[str(place)] if output.kind == "tensor" else self._output(reply, place)
            for place, output in enumerate(reply.outputs)
        ]
        future._resolve(values if reply.is_sequence else values[0])

    def _output(self, reply: protocol.Reply, place: int) -> Value:
        output = reply.outputs[place]
        return RemoteObject(self, reply.number, place) if output.is_handle else output.value

    def _argument(self, value: Value) -> protocol.Arg:
        if isinstance(value, RemoteObject):
            return value._handle()
        if isinstance(value, list | tuple):
            items = tuple(self._argument(item) for item in value)
            is_tuple = isinstance(value, tuple)
            return protocol.ListArg(items=items, is_tuple=is_tuple)  # type: ignore[arg-type]
        if (dtype := self._backend.kind_name(value)) is not None:
            return protocol.DTypeArg(dtype=dtype)
        if self._backend.is_array(value):
            return self._backend.place(value, self._placed.memory)
        return protocol.ScalarArg(value=value)


class RemoteObject:
    """A future for the result of a call, or an object in the learner's process.

    Any public attribute is a method of the object there. Calling one, or passing the object as an
    argument, does not wait for the reply.
    """

    def __init__(
        self, api: RemoteApi, number: int, place: int, call: str = "", phase: str = ""
    ) -> None:
        """The output at ``place`` of the call of that number. ``call`` describes the call in
        messages; ``phase`` is the one in which it is measured."""
        self._api = api
        self._number, self._place = number, place
        self._call, self._phase = call, phase
        self._value: Value = self
        self._used_as_object = False
        self._raises, self._guess = "", False

    def __getattr__(self, name: str) -> Function:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args: self._api._call(name, self._handle().number, args)

    def _handle(self) -> protocol.Handle:
        """The argument that refers to it; from here on it must turn out to be an object."""
        self._used_as_object = True
        return protocol.Handle(number=protocol.handle(self._number, self._place))

    def _result(self) -> Value:
        """Wait for the result and return it; raises ScriptFailed."""
        while self in self._api._pending:
            self._api._read()
        return self._value

    def _resolve(self, value: Value) -> None:
        """Set the result; raises TypeError if it was used as an object and is none."""
        if self._used_as_object and not isinstance(value, RemoteObject):
            raise TypeError(f"{self._call} returned {type(value).__name__}, and not an object")
        self._value = value


class Script:
    """A run of a script against the learner's process, to its end or its first failure; pipelined
    calls may still be executing there."""

    def __init__(self, api: RemoteApi, drive: Drive, args: Sequence[Value]) -> None:
        self._api, self._drive, self._args = api, drive, args
        self._run()

    def _run(self) -> None:
        self._steps: list[Step] = []
        self._failed: Exception | None = None
        self._collected: Outputs | None = None
        try:
            self._steps.extend(self._drive(self._api, *self._args))
        except Exception as error:
            self._failed = error

    def finish(self) -> None:
        """Read every reply, so that another script can be driven; raises LearnerGone."""
        try:
            self._finish()
        except Misprediction:
            self._api.restart()
            self._run()
            self._finish()

    def _finish(self) -> None:
        if self._collected is not None:
            return
        try:
            if self._failed is not None:
                raise self._failed
            self._api.read_replies()
            self._collected = collect(self._steps)
        except LearnerGone:
            raise
        except Misprediction:
            self._api.discard_replies()
            raise
        except Exception as error:
            self._api.discard_replies()
            self._failed = error

    def outputs(self) -> Outputs:
        """All outputs; raises the exception that ended the script, ScriptFailed for a call that
        failed."""
        self.finish()
        if self._collected is None:
            assert self._failed is not None
            raise self._failed
        return self._collected
