"""Scripts of calls: how classes, several functions, and lists of arrays are graded.

An exercise whose ``reference.py`` defines ``drive`` is a script::

    def drive(api, k, v, q):
        cache = api.KVCache(batch=1, ...)
        cache.append(k[:, :, :3], v[:, :, :3])
        yield "o", cache.attend(q)

It yields named outputs, arrays or numbers, one by one. The same script drives the reference's
own class, the faulty models', the solution's, and - through the pipe - the learner's: there
``api`` turns each call into an order, and objects stay in the learner's process. Arguments
are slices of the script's inputs, numbers, lists of these, or what an earlier call returned.

``with api.meter("append"):`` puts what is called inside under the meters of that phase.
``api.raises("OutOfPages", lambda: ...)`` says whether the call raised that exception.
``api.opaque(lambda: ...)`` leaves what the call returns where it is, be it a list or a number:
good for being given back in a later call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from quizprep.grading import wire
from quizprep.worker.arena import Laid
from quizprep.worker.backends import Backend
from quizprep.worker.channel import Channel

Step = tuple[str, Any]
Drive = Callable[..., Iterable[Step]]


class Outputs(tuple[Any, ...]):
    """The outputs of a script, in order, with their names."""

    names: tuple[str, ...] = ()


def collect(steps: Iterable[Step]) -> Outputs:
    """Run a script to its end; a list of arrays counts as several outputs of one name."""
    names: list[str] = []
    values: list[Any] = []
    for name, value in steps:
        for item in value if isinstance(value, list | tuple) else [value]:
            names.append(name)
            values.append(np.float64(item) if isinstance(item, bool | int | float) else item)
    outputs = Outputs(values)
    outputs.names = tuple(names)
    return outputs


class Local:
    """The api of a script over objects of this process: reference, models, solution."""

    def __init__(self, entries: Mapping[str, Any], meter: Any = None) -> None:
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

    def raises(self, kind: str, call: Callable[[], Any]) -> bool:
        """Whether the call raises an exception whose class has this name."""
        try:
            call()
        except Exception as error:
            if type(error).__name__ != kind:
                raise
            return True
        return False

    def opaque(self, call: Callable[[], Any]) -> Any:
        """What the call returns, to be given back and nothing else."""
        return call()


def local(module: Any, drive: Drive) -> Callable[..., Outputs]:
    """A script over what a module or a mapping defines, as a function of the inputs."""
    entries = module if isinstance(module, Mapping) else vars(module)
    public = {name: value for name, value in entries.items() if not name.startswith("_")}

    def solve(*args: Any) -> Outputs:
        return collect(drive(Local(public), *args))

    return solve


class ScriptFailed(Exception):
    """A call of a script failed in the learner's process; ``reply`` tells how."""

    def __init__(self, reply: wire.Reply, call: str) -> None:
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
        self.readings: dict[str, dict[str, int]] = {}
        channel.place(laid)

    def __getattr__(self, name: str) -> Callable[..., Any]:
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

    def raises(self, kind: str, call: Callable[[], Any]) -> bool:
        """Whether the call raises an exception whose class has this name."""
        try:
            call()
        except ScriptFailed as failed:
            if failed.reply.raised is None or failed.reply.raised.kind != kind:
                raise
            return True
        return False

    def opaque(self, call: Callable[[], Any]) -> Any:
        """What the call returns, to be given back and nothing else."""
        self._opaque = True
        try:
            return call()
        finally:
            self._opaque = False

    def _call(self, name: str, target: int | None, args: Sequence[Any]) -> Any:
        order = wire.Call(
            number=0,
            args=tuple(self._argument(value) for value in args),
            meter="session" if self._label else "",
            name=name,
            target=target,
            anew=self._calls == 0,
            opaque=self._opaque,
        )
        self._calls += 1
        reply = self._channel.perform(order)
        if reply.raised is not None or reply.refused or reply.patched:
            raise ScriptFailed(reply, f"{name}, call {self._calls}")
        if self._label:
            total = self.readings.setdefault(self._label, {})
            add_readings(total, reply.readings)
            add_readings(total, {"held_bytes": -reply.freed})
        tensors = self._channel.outputs(reply)
        values = [
            tensors[str(place)] if output.kind == "tensor" else self._result(output)
            for place, output in enumerate(reply.outputs)
        ]
        return values if reply.several else values[0]

    def _result(self, output: wire.Array) -> Any:
        if output.handle is None:
            return output.value
        return RemoteObject(self, output.handle)

    def _argument(self, value: Any) -> wire.Arg:
        if isinstance(value, RemoteObject):
            return wire.Handle(number=value.number)
        if isinstance(value, list | tuple):
            items = tuple(self._argument(item) for item in value)
            fixed = isinstance(value, tuple)
            return wire.Several(items=items, fixed=fixed)  # type: ignore[arg-type]
        if (dtype := self._backend.kind_name(value)) is not None:
            return wire.Kind(dtype=dtype)
        if self._backend.is_array(value):
            return self._backend.place(value, self._laid.memory)
        return wire.Plain(value=value)


class RemoteObject:
    """An object in the learner's process; its methods are called there."""

    def __init__(self, api: Remote, number: int) -> None:
        self._api = api
        self.number = number

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args: self._api._call(name, self.number, args)


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


Measured = Callable[[Callable[..., Any], Sequence[Any]], tuple[Any, Mapping[str, int]]]
"""Calls a function under the meters of a session; the result and what was read."""


def metered_locally(
    drive: Drive, entries: Mapping[str, Any], measured: Measured, args: Sequence[Any]
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

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*values: Any) -> Any:
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

    def __init__(self, inner: Any, watched: Callable[..., Any]) -> None:
        self._inner = inner
        self._watched = watched

    def __getattr__(self, name: str) -> Any:
        return self._watched(getattr(self._inner, name))


def _watched(value: Any, watched: Callable[..., Any]) -> Any:
    """Arrays, numbers and lists as they are; an object of the submission's own watched."""
    own = type(value).__module__ not in ("builtins", "numpy", "torch")
    return _Watched(value, watched) if own else value


def _unwatched(value: Any) -> Any:
    return value._inner if isinstance(value, _Watched) else value
