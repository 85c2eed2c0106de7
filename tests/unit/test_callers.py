"""What belongs to the caller is watched: results, lists, arguments, settings."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from quizprep.worker import arena
from quizprep.worker.backends import NumpyBackend
from quizprep.worker.judge.script import LocalApi, collect, in_turns
from quizprep.worker.learner.callers import Arguments, HeldResults, Settings

BACKEND = NumpyBackend()


def hold(held: HeldResults, array: np.ndarray, *inputs: bytearray) -> bool:
    return held.hold({"0": array}, BACKEND.pack({"0": array}), inputs)


def test_a_result_that_changes_is_seen_once() -> None:
    """One buffer handed out twice shows at the second result, and not again at a third one."""
    held, buffer = HeldResults(BACKEND), np.zeros(3)
    assert not hold(held, buffer)
    buffer[:] = 1
    assert hold(held, buffer)
    assert not hold(held, np.ones(3))


def test_equal_results_and_views_of_inputs_are_left_alone() -> None:
    """The same values again are no change; a view of an input changes with the input."""
    held, memory = HeldResults(BACKEND), bytearray(24)
    view = np.frombuffer(memory)
    assert not hold(held, view, memory)
    memory[:] = b"\1" * 24
    assert not hold(held, np.ones(3), memory)
    assert not hold(held, np.ones(3), memory)


def test_overwritten_arguments_are_copies() -> None:
    """A call sees the input's values and strides; afterwards its tensors hold NaN, the arena the
    input, and what the call wrote into it."""
    placed = arena.lay_out({"x": np.arange(4.0)}, BACKEND, "float32", "strided", False)
    memory = mmap.mmap(-1, len(placed.memory))
    memory[:] = bytes(placed.memory)
    (at,) = placed.args
    assert isinstance(at, arena.TensorAt)
    given = Arguments(BACKEND, memory, overwrite=True)
    x = given.tensor(at)
    assert x.tolist() == [0, 1, 2, 3]
    assert x.strides == placed.views(BACKEND)[0].strides
    x[0] = 7
    given.call_ended()
    assert np.isnan(x).all()
    assert BACKEND.view(memory, at).tolist() == [7, 1, 2, 3]
    del x


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (lambda items: None, False),
        (lambda items: items.append(items.pop(0)), True),
        (lambda items: items.clear(), True),
        (lambda items: items.__setitem__(0, np.zeros(1)), True),
        (lambda items: items[0].fill(5), False),
    ],
)
def test_a_list_is_seen_to_change(change: Any, seen: bool) -> None:
    """Other items, another order or another length; what the items hold is watched elsewhere."""
    given = Arguments(BACKEND, mmap.mmap(-1, 8), overwrite=False)
    change(given.list([np.zeros(1), np.ones(1)]))
    assert given.list_changed() is seen


def test_settings_of_torch_are_seen_to_change() -> None:
    """Default dtype and gradients; a setting that is set back is no change."""
    settings = Settings()
    with torch.no_grad():
        assert settings.changed() == "gradients"
    torch.set_default_dtype(torch.float64)
    try:
        assert settings.changed() == "dtype"
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.device("meta"):
        assert settings.changed() == "device"
    assert settings.changed() == ""


class Counter:
    """Counts for all its objects, which shows when two are in use at once."""

    count = 0

    def __init__(self) -> None:
        type(self).count = 0

    def up(self) -> int:
        type(self).count += 1
        return self.count


def drive(api: Any, times: int) -> Iterator[tuple[str, Any]]:
    counter = api.Counter()
    for _ in range(times):
        yield "count", counter.up()


def test_two_runs_take_turns_and_their_outputs_do_not() -> None:
    """Steps alternate until one run ends; the outputs of one run stand before the other's."""
    api = LocalApi({"Counter": Counter})
    both = collect(in_turns(drive)(api, 2, 4))
    assert both.names == ("count",) * 6
    # The second object sets the count back before its first step.
    assert [float(value) for value in both] == [1, 2, 1, 3, 4, 5]
