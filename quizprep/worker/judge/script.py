"""Scripts of calls: how classes, several functions, and lists of arrays are graded.

An exercise whose ``reference.py`` defines ``drive`` is a script::

    def drive(api, k, v, q):
        cache = api.KVCache(batch=1, ...)
        cache.append(k[:, :, :3], v[:, :, :3])
        yield "o", cache.attend(q)

It yields named outputs, arrays or numbers, one by one, or several with a tuple of names. The same
script drives the reference's own class, the faulty models', the solution's, and - through the
pipe - the learner's: there ``api`` turns each call into an order, and objects stay in the
learner's process. Arguments are slices of the script's inputs, numbers, lists of these, or what
an earlier call returned.

``with api.meter("append"):`` puts what is called inside under the meters of that phase.
``api.raises("OutOfPages", lambda: ...)`` says whether the call raised that exception; with a
``guess``, where the right answer is known, nothing waits for it, and a script whose guess was
wrong is driven once more without guesses.
``api.opaque(lambda: ...)`` leaves what the call returns where it is, be it a list or a number:
good for being given back in a later call.
``with api.ahead():`` sends the calls inside without waiting for the answers before, so that the
two processes work at once. What they return may be yielded; an object among it may be given back
and have its methods called. Anything else has no value yet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from quizprep.worker import protocol
from quizprep.worker.arena import Laid
from quizprep.worker.backends import Backend
from quizprep.worker.judge.channel import Channel, LearnerGone

Value = Any
"""What a script passes around: arrays, numbers, lists of these, objects of whom it drives."""

Function = Callable[..., Value]
Step = tuple[str | tuple[str, ...], Value]
Drive = Callable[..., Iterable[Step]]

AHEAD = 16
"""Calls that may be sent before the first of them is answered. Their orders fit into a pipe: the
judge never waits for a learner that waits for the judge."""


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


class Local:
    """The api of a script over objects of this process: reference, models, solution."""

    def __init__(self, entries: Mapping[str, Value], meter: Value = None) -> None:
        self.__dict__.update(entries)
        self._meter = meter

    @contextmanager
    def meter(self, label: str) -> Iterator[None]:
        """Calls inside are measured, where anything measures."""
        if self._meter is None:
            yield
            return
        with self._meter(label):
            yield

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
        """What the call returns, to be given back and nothing else."""
        return call()

    def ahead(self) -> AbstractContextManager[None]:
        """Calls inside are not waited for, where there is anything to wait for."""
        return nullcontext()


def local(module: Value, drive: Drive) -> Callable[..., Outputs]:
    """A script over what a module or a mapping defines, as a function of the inputs."""
    entries = module if isinstance(module, Mapping) else vars(module)
    public = {name: value for name, value in entries.items() if not name.startswith("_")}

    def solve(*args: Value) -> Outputs:
        return collect(drive(Local(public), *args))

    return solve


class WrongGuess(Exception):
    """A call did not do what the script went on with."""


class ScriptFailed(Exception):
    """A call of a script failed in the learner's process; ``reply`` tells how."""

    def __init__(self, reply: protocol.Reply, call: str) -> None:
        super().__init__(call)
        self.reply = reply
        self.call = call


class Remote:
    """The api of a script over the learner's process."""

    def __init__(
        self,
        channel: Channel,
        laid: Laid,
        backend: Backend,
        entries: Sequence[str],
        metered: bool,
    ) -> None:
        """Without ``metered`` the script's phases are not measured: outputs alone are judged."""
        self._metered = metered
        self._channel = channel
        self._laid = laid
        self._backend = backend
        self._entries = frozenset(entries)
        self._label = ""
        self._calls = 0
        self._opaque = False
        self._ahead = False
        self._patient = False
        self._raises, self._guess = "", False
        self._unread: deque[RemoteObject] = deque()
        """What calls returned whose answers have not been read, in order."""
        self.readings: dict[str, dict[str, int]] = {}
        channel.place(laid)

    def __getattr__(self, name: str) -> Function:
        if name not in self._entries:
            raise AttributeError(name)
        return lambda *args: self._call(name, None, args)

    @contextmanager
    def meter(self, label: str) -> Iterator[None]:
        """Calls inside are measured; readings add up under the label."""
        self._label = label if self._metered else ""
        try:
            yield
        finally:
            self._label = ""

    def raises(self, kind: str, call: Callable[[], Value], guess: bool | None = None) -> bool:
        """Whether the one call inside raises an exception whose class has this name."""
        if self._ahead and guess is not None:
            self._raises, self._guess = kind, guess
            try:
                call()
            finally:
                self._raises = ""
            return guess
        self.settle()
        ahead, self._ahead = self._ahead, False
        try:
            call()
        except ScriptFailed as failed:
            if failed.reply.raised is None or failed.reply.raised.kind != kind:
                raise
            return True
        finally:
            self._ahead = ahead
        return False

    def opaque(self, call: Callable[[], Value]) -> Value:
        """What the call returns, to be given back and nothing else."""
        self._opaque = True
        try:
            return call()
        finally:
            self._opaque = False

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Calls inside are not waited for."""
        self._ahead = not self._patient
        try:
            yield
        finally:
            self._ahead = False

    def settle(self, most: int = 0) -> None:
        """Read answers until at most so many calls have none; raises ScriptFailed."""
        while len(self._unread) > most:
            self._read()

    def drop(self) -> None:
        """Read all answers and look at none: the script has ended."""
        while self._unread:
            self._channel.answer(self._unread.popleft()._number)

    def afresh(self) -> None:
        """Forget the script so far, which has ended; from here on every answer is waited for."""
        self._calls, self._patient = 0, True
        self.readings.clear()

    def _call(self, name: str, target: int | None, args: Sequence[Value]) -> Value:
        placed = tuple(self._argument(value) for value in args)
        # A list may be longer than what is left of the pipe.
        long = any(isinstance(argument, protocol.Several) for argument in placed)
        self.settle(0 if long or not self._ahead else AHEAD - 1)
        order = protocol.Call(
            number=0,
            args=placed,
            meter="session" if self._label else "",
            name=name,
            target=target,
            anew=self._calls == 0,
            opaque=self._opaque,
            ahead=bool(self._unread),
            raises=self._raises,
        )
        self._calls += 1
        number = self._channel.begin(order)
        made = RemoteObject(self, number, 0, f"{name}, call {self._calls}", self._label)
        made._raises, made._guess = self._raises, self._guess
        self._unread.append(made)
        return made if self._ahead else made._result()

    def _read(self) -> None:
        """The answer to the oldest call that has none."""
        made = self._unread.popleft()
        reply = self._channel.answer(made._number)
        if made._raises and not reply.refused:
            raised = reply.raised is not None and reply.raised.kind == made._raises
            if raised is not made._guess:
                raise WrongGuess
            if raised:
                return
        if reply.raised is not None or reply.refused or reply.patched:
            raise ScriptFailed(reply, made._said)
        if made._label:
            total = self.readings.setdefault(made._label, {})
            add_readings(total, reply.readings)
            add_readings(total, {"held_bytes": -reply.freed})
        tensors = self._channel.outputs(reply)
        values = [
            tensors[str(place)] if output.kind == "tensor" else self._result(reply, place)
            for place, output in enumerate(reply.outputs)
        ]
        made._settled(values if reply.several else values[0])

    def _result(self, reply: protocol.Reply, place: int) -> Value:
        output = reply.outputs[place]
        return RemoteObject(self, reply.number, place) if output.stays else output.value

    def _argument(self, value: Value) -> protocol.Arg:
        if isinstance(value, RemoteObject):
            return value._handle()
        if isinstance(value, list | tuple):
            items = tuple(self._argument(item) for item in value)
            fixed = isinstance(value, tuple)
            return protocol.Several(items=items, fixed=fixed)  # type: ignore[arg-type]
        if (dtype := self._backend.kind_name(value)) is not None:
            return protocol.Kind(dtype=dtype)
        if self._backend.is_array(value):
            return self._backend.place(value, self._laid.memory)
        return protocol.Plain(value=value)


class RemoteObject:
    """What a call returned in the learner's process, where it may stay and have its methods
    called, whether or not the judge has read the answer. Every other name is one of its own."""

    def __init__(
        self, api: Remote, number: int, place: int, said: str = "", label: str = ""
    ) -> None:
        """``number`` and ``place`` tell which call returned it and where, ``said`` what was
        called, for what the learner reads, ``label`` the phase that it was measured in."""
        self._api = api
        self._number, self._place = number, place
        self._said, self._label = said, label
        self._value: Value = self
        self._used = False
        self._raises, self._guess = "", False

    def __getattr__(self, name: str) -> Function:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args: self._api._call(name, self._handle().number, args)

    def _handle(self) -> protocol.Handle:
        """To be given back: from here on it has to be an object of the learner's process."""
        self._used = True
        return protocol.Handle(number=protocol.handle(self._number, self._place))

    def _result(self) -> Value:
        """What was returned; waits for it. Raises ScriptFailed."""
        while self in self._api._unread:
            self._api._read()
        return self._value

    def _settled(self, value: Value) -> None:
        """The answer was read; raises TypeError where an object was expected and is none."""
        if self._used and not isinstance(value, RemoteObject):
            raise TypeError(f"{self._said} returned {type(value).__name__}, and not an object")
        self._value = value


class Script:
    """A script that was driven against the learner's process to its end, or as far as it came;
    calls that were sent ahead may still be at work there."""

    def __init__(self, api: Remote, drive: Drive, args: Sequence[Value]) -> None:
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
        """Read every answer, so that another script can be driven; raises LearnerGone."""
        try:
            self._finish()
        except WrongGuess:
            self._api.afresh()
            self._run()
            self._finish()

    def _finish(self) -> None:
        if self._collected is not None:
            return
        try:
            if self._failed is not None:
                raise self._failed
            self._api.settle()
            self._collected = collect(self._steps)
        except LearnerGone:
            raise
        except WrongGuess:
            self._api.drop()
            raise
        except Exception as error:
            self._api.drop()
            self._failed = error

    def outputs(self) -> Outputs:
        """All outputs; raises what stopped the script, ScriptFailed for a call that failed."""
        self.finish()
        if self._collected is None:
            assert self._failed is not None
            raise self._failed
        return self._collected


def add_readings(total: dict[str, int], more: Mapping[str, int]) -> None:
    """Add what one call cost to a phase: peaks do not add up, everything else does."""
    for name, value in more.items():
        if name == "peak_bytes":
            total[name] = max(total.get(name, 0), value)
        else:
            total[name] = total.get(name, 0) + value


def flat(readings: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Readings of phases under names such as ``append.flops``. A phase that lets go of more
    than it takes holds nothing."""
    return {
        f"{label}.{name}": max(value, 0)
        for label, part in readings.items()
        for name, value in part.items()
    }


Measured = Callable[[Function, Sequence[Value]], tuple[Value, Mapping[str, int]]]
"""Calls a function under the meters of a session; the result and what was read."""


def metered_locally(
    drive: Drive, entries: Mapping[str, Value], measured: Measured, args: Sequence[Value]
) -> dict[str, int]:
    """The readings of a script over objects of this process: the solution's own cost."""
    readings: dict[str, dict[str, int]] = {}
    label = ""

    @contextmanager
    def meter(name: str) -> Iterator[None]:
        nonlocal label
        label = name
        try:
            yield
        finally:
            label = ""

    def watched(function: Function) -> Function:
        def call(*values: Value) -> Value:
            own = [_unwatched(value) for value in values]
            if not label:
                return _watched(function(*own), watched)
            result, found = measured(function, own)
            add_readings(readings.setdefault(label, {}), found)
            return _watched(result, watched)

        return call

    api = Local({name: watched(entry) for name, entry in entries.items()}, meter)
    collect(drive(api, *args))
    return flat(readings)


class _Watched:
    """An object whose methods are measured."""

    def __init__(self, inner: Value, watched: Function) -> None:
        self._inner = inner
        self._watched = watched

    def __getattr__(self, name: str) -> Value:
        return self._watched(getattr(self._inner, name))


def _watched(value: Value, watched: Function) -> Value:
    """Arrays, numbers and lists as they are; an object of the submission's own watched."""
    own = type(value).__module__ not in ("builtins", "numpy", "torch")
    return _Watched(value, watched) if own else value


def _unwatched(value: Value) -> Value:
    return value._inner if isinstance(value, _Watched) else value
