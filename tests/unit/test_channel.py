"""Pipelined calls, against a learner that works only while the judge waits: as many are in flight
as ever can be."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.grading import wire
from quizprep.worker import arena, protocol
from quizprep.worker.backends import NumpyBackend
from quizprep.worker.judge.channel import (
    IN_FLIGHT,
    IN_FLIGHT_BYTES,
    Channel,
    LearnerGone,
    PipelinedCalls,
)
from quizprep.worker.learner.serving import Learner
from tests.unit.threaded import judge_ends

BACKEND = NumpyBackend()
SUBMISSION = """
def f(x, y, spoil):
    result = x + 1.0, y.sum(keepdims=True)
    if spoil:
        y[0] += 1.0
    return result
"""
FILLS = IN_FLIGHT_BYTES // 4
CALLS = st.lists(
    st.tuples(st.sampled_from([1, 30, 5_000, FILLS // 3, FILLS // 2, FILLS]), st.booleans()),
    min_size=1,
    max_size=12,
)
ENDED = "left without a word"


class Waited:
    """A channel, and the learner at its other end."""

    def __init__(self, path: Path, answers: int = 1_000) -> None:
        """The learner leaves after so many answers."""
        fd = arena.create()
        self.memory = arena.attach(fd)
        self.fds = [fd, *os.pipe(), *os.pipe(), *os.pipe(), *os.pipe()]
        _, self.orders, orders, replies, self.replies, _, events, control, said = self.fds
        self.channel = Channel(BACKEND, self.memory, judge_ends(orders, replies, events, control))
        # One answer fits: it is written and read by the same thread.
        fcntl.fcntl(self.replies, fcntl.F_SETPIPE_SZ, IN_FLIGHT_BYTES)
        wire.send(said, wire.Ended(reason=ENDED))
        self.learner = Learner(BACKEND, "numpy", str(path), ("f",), arena.attach(fd))
        self.learner.answer(protocol.Load())
        self.left = answers
        self.sent = 0
        self.most = 0
        self.channel.idle_work = self.work

    def work(self) -> bool:
        """Answer one order, or leave."""
        self.most = max(self.most, self.channel.last - self.sent)
        if self.left == 0:
            for fd in (self.orders, self.replies):
                os.close(fd)
                self.fds.remove(fd)
            return False
        self.left -= 1
        self.sent += 1
        order = wire.receive(self.orders, protocol.Order)
        wire.send(self.replies, self.learner.answer(order))
        return True

    def close(self) -> None:
        for fd in self.fds:
            os.close(fd)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("channel") / "submission.py"
    file.write_text(SUBMISSION)
    return file


def placed(size: int, number: int, spoil: bool) -> arena.PlacedInputs:
    """Inputs of a call; the values are the call's own."""
    values = np.full(size, 1.0 + number, np.float32)
    named = {"x": values[: 1 + size // 2], "y": values, "spoil": spoil}
    return arena.lay_out(named, BACKEND, "float32", "contiguous", True)


def in_order(calls: list[tuple[int, bool]]) -> Iterator[tuple[arena.PlacedInputs, str]]:
    for number, (size, spoil) in enumerate(calls):
        yield placed(size, number, spoil), ""


@given(CALLS)
def test_calls_sent_ahead_find_their_inputs_and_tell_what_they_change(
    path: Path, calls: list[tuple[int, bool]]
) -> None:
    """Whatever their sizes, each call reads its own inputs, and a modified input is reported with
    the call that modified it; never are more calls in flight than allowed."""
    waited = Waited(path)
    made = PipelinedCalls(waited.channel, in_order(calls))
    for number, (size, spoil) in enumerate(calls):
        reply, changed = made.next()
        tensors = waited.channel.outputs(reply)
        assert np.array_equal(tensors["0"], np.full(1 + size // 2, 2.0 + number, np.float32))
        assert tensors["1"] == np.full(size, 1.0 + number, np.float32).sum()
        assert changed == ("y" if spoil else "")
    assert waited.most <= IN_FLIGHT
    waited.close()


def test_small_calls_are_sent_ahead_and_share_little_of_the_arena(path: Path) -> None:
    """IN_FLIGHT calls are sent at once, and the part of the arena that they share stays small."""
    waited = Waited(path)
    made = PipelinedCalls(waited.channel, in_order([(5_000, False)] * 60))
    for _ in range(60):
        made.next()
    assert waited.most == IN_FLIGHT
    assert waited.channel.high_water_mark <= IN_FLIGHT_BYTES
    waited.close()


@given(CALLS, st.integers(0, 12))
def test_a_learner_that_leaves_is_missed_at_the_call_it_did_not_answer(
    path: Path, calls: list[tuple[int, bool]], answers: int
) -> None:
    """Answers before that count, and every later question is told the same reason."""
    waited = Waited(path, answers)
    made = PipelinedCalls(waited.channel, in_order(calls))
    for number in range(len(calls)):
        if number < answers:
            reply, changed = made.next()
            assert reply.raised is None
            assert changed == ("y" if calls[number][1] else "")
        else:
            with pytest.raises(LearnerGone, match=ENDED):
                made.next()
    waited.close()
