"""A script of calls does the same over objects of this process and through the pipe."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quizprep.worker import arena
from quizprep.worker.judge.script import (
    LocalApi,
    Outputs,
    RemoteApi,
    Script,
    ScriptFailed,
    collect,
)
from quizprep.worker.learner.serving import load_module
from quizprep.worker.learner.torch_meters import Meters, tensors_in
from tests.unit.threaded import BACKEND, Threaded

SUBMISSION = '''
import numpy as np


class Full(Exception):
    pass


class Shelf:
    """Keeps what it is given."""

    def __init__(self, room):
        self.room = room
        self.things = []

    def put(self, thing):
        if len(self.things) == self.room:
            raise Full
        self.things.append(np.asarray(thing))
        return Ticket(len(self.things) - 1)

    def get(self, ticket):
        return self.things[ticket.number]

    def count(self):
        return len(self.things)


class Ticket:
    def __init__(self, number):
        self.number = number


def total(arrays):
    return sum((x.sum() for x in arrays), np.float32(0)), len(arrays)


def kind(value):
    return type(value).__name__


def echo(value):
    return value


def made(kind):
    return {"list": [], "tuple": (1, 2), "number": 3, "array": np.ones(2), "none": None}[kind]


def same(one, other):
    return one is other


UPS = []


def count_up():
    UPS.append(1)


def ups():
    return len(UPS)


def address(x):
    return x.__array_interface__["data"][0], x.flags.owndata


def allocates(x, size):
    return x.sum() + np.ones(size).sum()
'''

NAMES = tuple("Shelf total kind echo made same address allocates count_up ups".split())
Drive = Callable[..., Iterator[tuple[str, Any]]]


class Pipe(Threaded):
    """A learner in a thread, and scripts that are driven against it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, NAMES)
        memory = np.frombuffer(self.learner.memory, np.uint8)
        self.base = memory.__array_interface__["data"][0]

    def run(self, drive: Drive, *values: Any) -> tuple[Outputs, RemoteApi]:
        placed = lay(values)
        api = RemoteApi(self.channel, placed, BACKEND, NAMES, meter="session")
        return Script(api, drive, placed.views(BACKEND)).outputs(), api


def lay(values: Sequence[Any]) -> arena.PlacedInputs:
    named = {str(place): value for place, value in enumerate(values)}
    return arena.lay_out(named, BACKEND, "float32", "strided", False)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("driving") / "submission.py"
    file.write_text(SUBMISSION)
    return file


@pytest.fixture(scope="module")
def pipe(path: Path) -> Pipe:
    return Pipe(path)


@pytest.fixture(scope="module")
def here(path: Path) -> LocalApi:
    module = load_module(str(path), "driven_here")
    return LocalApi({name: getattr(module, name) for name in NAMES})


def same(one: Outputs, other: Outputs) -> bool:
    return one.names == other.names and all(
        np.shape(a) == np.shape(b) and np.array_equal(a, b) for a, b in zip(one, other, strict=True)
    )


steps = st.lists(
    st.tuples(st.sampled_from(["put", "get", "count", "total"]), st.integers(0, 5)), max_size=12
)


@given(steps, st.integers(1, 4))
def test_a_script_is_the_same_here_and_through_the_pipe(
    pipe: Pipe, here: LocalApi, steps: list[tuple[str, int]], room: int
) -> None:
    """Whatever the order of calls, outputs, their names and shapes and exceptions agree."""

    def drive(api: Any, x: np.ndarray) -> Iterator[tuple[str, Any]]:
        shelf, tickets = api.Shelf(room), []
        for step, at in steps:
            if step == "put":
                full = api.raises("Full", lambda at=at: tickets.append(shelf.put(x[at:, : at + 1])))
                yield "full", full
            elif step == "get" and tickets:
                yield "thing", shelf.get(tickets[at % len(tickets)])
            elif step == "count":
                yield "count", shelf.count()
            else:
                yield "total", api.total([x[:at], x[at:, 0]])

    x = np.arange(24.0).reshape(6, 4)
    through, _ = pipe.run(drive, x)
    assert same(through, collect(drive(here, *lay([x]).views(BACKEND))))


@given(steps, st.integers(1, 4), st.integers(0, 2**12))
def test_what_is_sent_ahead_comes_to_the_same(
    pipe: Pipe, here: LocalApi, steps: list[tuple[str, int]], room: int, guesses: int
) -> None:
    """However many calls are sent before the first is answered, and whether or not guesses of what
    raises are right, outputs are those of calls that are waited for."""

    def drive(api: Any, x: np.ndarray) -> Iterator[tuple[str, Any]]:
        with api.ahead():
            shelf, tickets = api.Shelf(room), []
            for place, (step, at) in enumerate(steps * 3):
                if step == "put":
                    full = api.raises(
                        "Full",
                        lambda at=at: tickets.append(shelf.put(x[at:, : at + 1])),
                        guess=bool(guesses >> place % 12 & 1),
                    )
                    yield "full", full
                    # After a guess there is a ticket whether or not the call raised.
                    del tickets[room:]
                elif step == "get" and tickets:
                    yield "thing", shelf.get(tickets[at % len(tickets)])
                elif step == "count":
                    yield "count", shelf.count()
                else:
                    yield ("sum", "arrays"), api.total([x[:at], x[at:, 0]])

    x = np.arange(24.0).reshape(6, 4)
    through, _ = pipe.run(drive, x)
    assert same(through, collect(drive(here, *lay([x]).views(BACKEND))))


def test_nothing_is_called_behind_a_call_that_raised(pipe: Pipe) -> None:
    """The exception is that of the first call that raised, and what was on its way is not made."""

    def breaks(api: Any, x: np.ndarray) -> Iterator[tuple[str, Any]]:
        with api.ahead():
            shelf = api.Shelf(1)
            shelf.put(x)
            yield "again", shelf.put(x)
            yield "no such", shelf.burn()
            api.count_up()

    def counts(api: Any) -> Iterator[tuple[str, Any]]:
        yield "ups", api.ups()

    with pytest.raises(ScriptFailed) as failed:
        pipe.run(breaks, np.ones(2))
    assert failed.value.reply.raised is not None and failed.value.reply.raised.kind == "Full"
    assert failed.value.call == "put, call 3"
    assert list(pipe.run(counts)[0]) == [0]


def test_a_result_that_is_used_as_an_object_has_to_be_one(pipe: Pipe) -> None:
    """What a call is made on, or given, before its answer is known is told by its call."""

    def drive(api: Any) -> Iterator[tuple[str, Any]]:
        with api.ahead():
            nothing = api.made("none")
            yield "count", nothing.count()

    for _ in range(2):
        with pytest.raises(TypeError, match="made, call 1 returned NoneType"):
            pipe.run(drive)


def test_phases_are_measured_ahead_as_well(pipe: Pipe) -> None:
    """A call counts in the phase in which it was sent, whenever its answer is read; a script that
    is driven once more counts once."""

    def drive(api: Any, x: np.ndarray) -> Iterator[tuple[str, Any]]:
        with api.ahead():
            with api.meter("small"):
                api.allocates(x, 1 << 13)
            with api.meter("large"):
                yield "o", api.allocates(x, 1 << 15)
            api.allocates(x, 1 << 17)
            yield "wrong", api.raises("Full", lambda: api.echo(1), guess=True)

    outputs, api = pipe.run(drive, np.ones(4))
    readings = api.readings.by_meter()
    assert (readings["small.peak_bytes"], readings["large.peak_bytes"]) == (1 << 16, 1 << 18)
    assert outputs[1] == 0


def test_objects_stay_where_they_were_made(pipe: Pipe) -> None:
    """A handle given back names the same object, also after others were made."""

    def drive(api: Any, x: np.ndarray) -> Iterator[tuple[str, Any]]:
        one, other = api.Shelf(2), api.Shelf(2)
        first = one.put(x[0])
        second = other.put(x[1])
        yield "first", one.get(first)
        yield "second", other.get(second)
        yield "again", api.echo(one).get(first)

    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    outputs, _ = pipe.run(drive, x)
    assert [value.tolist() for value in outputs] == [[1, 2], [3, 4], [1, 2]]


def test_raises_tells_its_exception_from_others(pipe: Pipe, here: LocalApi) -> None:
    """The named exception is True, none is False, another one goes on."""

    def drive(api: Any, x: np.ndarray) -> Iterator[tuple[str, Any]]:
        shelf = api.Shelf(1)
        yield "full", api.raises("Full", lambda: shelf.put(x))
        yield "full", api.raises("Full", lambda: shelf.put(x))
        yield "full", api.raises("Full", lambda: shelf.get(x))

    kept: list[Any] = []
    with pytest.raises(ScriptFailed) as failed:
        kept.extend(pipe.run(drive, np.ones(2))[0])
    assert failed.value.reply.raised is not None
    assert failed.value.reply.raised.kind == "AttributeError"
    with pytest.raises(AttributeError):
        collect(drive(here, np.ones(2)))


@pytest.mark.parametrize("what", ["list", "tuple", "number", "array", "none"])
def test_an_opaque_result_is_given_back_itself(pipe: Pipe, here: LocalApi, what: str) -> None:
    """Whatever a call returned under ``opaque`` arrives as the same object in a later call."""

    def drive(api: Any) -> Iterator[tuple[str, Any]]:
        handle = api.opaque(lambda: api.made(what))
        yield (
            "kind",
            api.kind(handle)
            == {"number": "int", "array": "ndarray"}.get(
                what, "NoneType" if what == "none" else what
            ),
        )
        yield "same", api.same(handle, handle)
        yield "looked into again", api.echo(3)

    for outputs in (pipe.run(drive)[0], collect(drive(here))):
        assert list(outputs) == [True, True, 3]


@given(st.integers(0, 5), st.integers(0, 3), st.integers(1, 3))
def test_a_slice_of_an_input_is_placed_without_copying(
    pipe: Pipe, start: int, column: int, step: int
) -> None:
    """The learner sees the slice inside the arena, at its own distance from the whole."""
    seen: list[tuple[int, bool]] = []
    whole: list[tuple[int, bool]] = []
    distance: list[int] = []

    def drive(api: Any, x: np.ndarray) -> Iterator[tuple[str, Any]]:
        part = x[start::step, column:]
        origin, place = (a.__array_interface__["data"][0] for a in (x, part))
        distance.append(place - origin)
        seen.append(api.address(part))
        whole.append(api.address(x))
        yield "part", api.echo(part)
        yield "same", part

    outputs, _ = pipe.run(drive, np.arange(24.0).reshape(6, 4))
    ((address, owns),) = seen
    assert address - whole[0][0] == distance[0]
    assert not owns
    assert np.array_equal(outputs[0], outputs[1])


def test_arrays_from_elsewhere_are_refused(pipe: Pipe) -> None:
    """A script can only pass on what lies in its inputs."""

    def drive(api: Any, x: np.ndarray) -> Iterator[tuple[str, Any]]:
        yield "x", api.echo(x + 1)

    with pytest.raises(ValueError, match="no slice of its inputs"):
        pipe.run(drive, np.ones(2))


@given(st.floats(allow_nan=False), st.integers(-(2**40), 2**40), st.booleans())
def test_numbers_survive_the_way_there_and_back(
    pipe: Pipe, real: float, whole: int, truth: bool
) -> None:
    """Numbers alone, in a list and in a tuple arrive as they were sent, infinities included."""

    def drive(api: Any) -> Iterator[tuple[str, Any]]:
        for value in (real, whole, truth, [real, whole], (whole, real)):
            yield "value", api.echo(value)

    outputs, _ = pipe.run(drive)
    assert list(outputs) == [real, whole, truth, real, whole, whole, real]


def test_tuples_stay_tuples(pipe: Pipe) -> None:
    """A list arrives as a list and a tuple as a tuple."""

    def drive(api: Any) -> Iterator[tuple[str, Any]]:
        assert api.kind([1.0]) == "list"
        assert api.kind((1.0,)) == "tuple"
        yield "done", 1

    pipe.run(drive)


def test_numpy_calls_are_measured_under_their_label(pipe: Pipe) -> None:
    """The peak of a phase is that of its largest call; what is outside a phase does not count."""

    def drive(api: Any, x: np.ndarray) -> Iterator[tuple[str, Any]]:
        api.allocates(x, 1 << 20)
        with api.meter("small"):
            api.allocates(x, 1 << 13)
            yield "o", api.allocates(x, 1 << 14)
        with api.meter("large"):
            yield "o", api.allocates(x, 1 << 15)

    _, api = pipe.run(drive, np.ones(4))
    readings = api.readings.by_meter()
    assert (readings["small.peak_bytes"], readings["large.peak_bytes"]) == (1 << 17, 1 << 18)


def test_what_a_call_lets_go_of_is_no_longer_held() -> None:
    """Held bytes of a session add up over calls, and can fall."""
    meters, kept = Meters(()), []

    def call(action: Callable[[], Any]) -> int:
        meters.begin(())
        with meters:
            action()
        return meters.readings(())["held_bytes"]

    assert call(lambda: kept.append(torch.zeros(100))) == 400
    assert call(lambda: kept.append(torch.zeros(50))) == 200
    assert call(lambda: kept.pop(0)) == -400


def test_an_input_that_is_kept_is_held() -> None:
    """A reference to an input counts like a copy, once, until it is dropped."""
    meters, kept = Meters(()), []

    def call(action: Callable[[torch.Tensor], Any]) -> int:
        args = [torch.ones(100)]
        meters.begin(tensors_in(args))
        with meters:
            result = action(args[0])
        held = meters.readings(())["held_bytes"]
        args.clear()
        return held + meters.retained_inputs(result)

    assert call(lambda x: kept.append(x[:10])) == 400
    assert call(lambda x: x[:10]) == 0
    assert call(lambda _: kept.clear()) == -400


places = st.lists(st.integers(0, 7), min_size=1, max_size=5)


@given(places, st.integers(1, 4))
def test_a_write_through_indices_moves_what_it_writes(rows: list[int], width: int) -> None:
    """A destination counts by the entries that are written, as in a write to a slice, however
    the indices are given."""
    whole, values = torch.zeros(8, 3, width), torch.ones(len(rows), 3, width)
    at = torch.tensor(rows)

    def moved(write: Callable[[], Any]) -> int:
        meters = Meters(())
        with meters:
            write()
        return meters.readings(())["moved_bytes"]

    both = 2 * values.nbytes
    assert moved(lambda: whole[: len(rows)].copy_(values)) == both
    assert moved(lambda: whole.index_copy_(0, at, values)) == both + at.nbytes
    assert moved(lambda: whole.__setitem__(at, values)) == both + at.nbytes
    columns = torch.tensor([[0], [2]])
    part = torch.ones(2, len(rows), width)
    moved_part = moved(lambda: whole.__setitem__((at, columns), part))
    assert moved_part == 2 * part.nbytes + at.nbytes + columns.nbytes


WRITE = """
import sys, torch
from quizprep.worker.learner.torch_meters import Meters
at = torch.tensor([[0], [2]])
with Meters(()):
    torch.zeros(4, 3, 2)[at, torch.tensor([0, 1])] = 1.0
print("sympy" in sys.modules)
"""


def test_a_metered_write_through_indices_imports_nothing_large() -> None:
    """What the meters import would be memory that the learner's process seems to have kept."""
    done = subprocess.run([sys.executable, "-c", WRITE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_write_through_a_mask_counts_as_a_whole() -> None:
    """Which entries a mask selects is not looked up, so the destination counts as it is."""
    meters, whole = Meters(()), torch.zeros(8, 3)
    mask = torch.zeros(8, dtype=torch.bool)
    with meters:
        torch.ops.aten.index_put_(whole, [mask], torch.ones(0, 3))
    assert meters.readings(())["moved_bytes"] == whole.nbytes + mask.nbytes


def test_names_that_are_not_asked_for_are_not_there(pipe: Pipe) -> None:
    """A script finds the entries and their methods; what Python itself looks for is missing, not
    asked of the learner."""

    def drive(api: Any) -> Iterator[tuple[str, Any]]:
        shelf = api.Shelf(1)
        yield "entries", hasattr(api, "Shelf") and not hasattr(api, "Ticket")
        yield "specials", hasattr(shelf, "put") and not hasattr(shelf, "__len__")

    outputs, _ = pipe.run(drive)
    assert list(outputs) == [True, True]
