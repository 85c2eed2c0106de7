"""What the judge reads and writes from outside, when the other end is gone or writes nonsense."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprep.grading import wire
from quizprep.worker import arena, nursery, process_stats, protocol
from quizprep.worker.backends import NumpyBackend
from quizprep.worker.children import JudgeEnds
from quizprep.worker.judge import judging, reference_cache
from quizprep.worker.judge.channel import STOPPED, Channel, LearnerGone
from quizprep.worker.judge.cost import CostStage
from quizprep.worker.judge.cost_check import CostCheck
from quizprep.worker.judge.witness import LearnerProcess, ProcessWatch
from tests.unit.jobs import SPEC, a_job
from tests.unit.threaded import judge_ends

BACKEND = NumpyBackend()
REFERENCE = "make_inputs = solve = lambda *_, **__: {}\n"


@pytest.fixture(scope="module")
def ended() -> int:
    """The id of a process that is over and reaped."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


# --- memory of another process ---


def test_a_process_that_ended_has_no_memory(ended: int) -> None:
    """Every reading of it is none, and no error."""
    assert process_stats.reset_peak(ended) is None
    assert process_stats.peak_resident(ended) is None
    assert process_stats.private_bytes(ended) is None
    assert process_stats.cpu_time(ended) == 0


def test_a_process_that_ends_before_it_is_read_is_gone(ended: int) -> None:
    """Its call has no readings: the judge is told, whatever it has answered before."""
    channel: Any = SimpleNamespace(trim_memory=lambda: None)
    watch = ProcessWatch(LearnerProcess(ended, -1, ""), channel)
    with pytest.raises(LearnerGone, match="before its memory could be read"):
        watch.call({}, arena.PlacedInputs((), (), bytearray()), lambda _: None)


def test_without_a_witness_nothing_is_called(ended: int) -> None:
    """Where no memory of another process can be read, the watched call is left out and said."""
    channel: Any = SimpleNamespace(trim_memory=lambda: None)
    costing = CostStage.__new__(CostStage)
    costing.watch = ProcessWatch(LearnerProcess(ended, -1, ""), channel)
    point = wire.Point(params={"n": 4}, seed=1, held_out=False)
    assert costing._begin_witness(point) == 0
    found = CostCheck(SPEC.contract, (), {}).witness(None)
    assert (found.status, "cannot be read" in found.message) == ("skip", True)


@given(st.lists(st.integers(0, 5000), max_size=4), st.integers(0, 3))
def test_files_are_counted_by_what_they_hold(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], folders: int
) -> None:
    """Every byte counts, and something for each name; a link counts itself, not what it names."""
    folder = tmp_path_factory.mktemp("written")
    for number, size in enumerate(sizes):
        (folder / f"file{number}").write_bytes(bytes(size))
    for number in range(folders):
        (folder / f"folder{number}").mkdir()
    before = process_stats.folder_bytes(folder)
    assert before == sum(sizes) + process_stats.ENTRY_BYTES * (len(sizes) + folders)
    (folder / "link").symlink_to("/nowhere/at/all")
    assert process_stats.folder_bytes(folder) - before == process_stats.ENTRY_BYTES + len(
        "/nowhere/at/all"
    )


def test_a_file_that_goes_while_it_is_counted_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is there in the listing and not after it costs nothing, and no error."""
    (tmp_path / "kept").write_bytes(bytes(10))
    for name in ("gone", "gone too"):
        (tmp_path / name).touch()
    listed = list(os.scandir(tmp_path))
    for name in ("gone", "gone too"):
        (tmp_path / name).unlink()
    monkeypatch.setattr(process_stats.os, "scandir", lambda _: listed)
    assert process_stats.folder_bytes(tmp_path) == process_stats.ENTRY_BYTES + 10


# --- the pipes ---


class Ends:
    """A channel, and the far ends of its pipes."""

    def __init__(self) -> None:
        self.orders, orders = os.pipe()
        replies, self.replies = os.pipe()
        self.events, events = os.pipe()
        control, self.control = os.pipe()
        self.fd = arena.create()
        self.memory = arena.attach(self.fd)
        self.near = (orders, replies, events, control)
        self.channel = Channel(BACKEND, self.memory, judge_ends(*self.near))

    def judge(self, ready: int, cache: int) -> JudgeEnds:
        """The ends that a judge keeps."""
        return JudgeEnds(-1, *self.near, ready, self.fd, cache, -1)

    def close(self) -> None:
        for fd in (self.orders, self.replies, self.events, self.control, *self.near, self.fd):
            try:
                os.close(fd)
            except OSError:
                continue


@pytest.fixture
def ends() -> Any:
    made = Ends()
    yield made
    made.close()


def test_an_order_to_nobody_asks_how_the_learner_ended(ends: Ends) -> None:
    """The judge hears the nursery's reason, and the nursery hears that the learner is lost."""
    os.close(ends.orders)
    wire.send(ends.control, wire.Ended(reason="crashed with SIGSEGV"))
    with pytest.raises(LearnerGone, match="crashed with SIGSEGV"):
        ends.channel.load()
    assert wire.receive(ends.events, wire.Lost) == wire.Lost()


@pytest.mark.parametrize("said", [b"", b"\x00" * 8, b"\x01" + b"\x00" * 7 + b"\xc1"])
def test_without_an_answer_of_the_nursery_the_own_reason_holds(ends: Ends, said: bytes) -> None:
    """A control pipe that is closed, or holds nonsense, leaves what the judge itself has seen."""
    os.close(ends.replies)
    os.write(ends.control, said)
    os.close(ends.control)
    with pytest.raises(LearnerGone, match=STOPPED):
        ends.channel.load()


def test_a_judge_whose_parent_is_gone_leaves(ends: Ends, ended: int, tmp_path: Path) -> None:
    """Nobody hears what it finds: it ends at its first word, and leaves nothing to the next."""
    os.close(ends.events)
    ready, said = os.pipe()
    os.write(said, msgspec.msgpack.encode([]))
    os.close(said)
    (tmp_path / "solution.py").touch()
    (tmp_path / "reference.py").write_text(REFERENCE)
    left = reference_cache.create()
    subject = LearnerProcess(ended, ends.fd, str(tmp_path))
    judging.judge(a_job(tmp_path), subject, ends.judge(ready, left))
    assert os.fstat(left).st_size == 0
    os.close(left)


PLACED = arena.lay_out(
    {"a": np.ones(3, np.float32), "n": 2, "b": np.ones(5, np.float32)}, BACKEND, "float32",
    "contiguous", True,
)  # fmt: skip


@given(st.integers(0, len(PLACED.memory) - 1))
def test_every_changed_byte_is_found_and_told_by_its_input(at: int) -> None:
    """A byte of an input, its guards included, is that input's; any other is beside them."""
    ends = Ends()
    ends.channel.place(PLACED)
    assert ends.channel.modified_input(PLACED) == ""
    ends.memory[at] ^= 1
    (first, end), (second, last) = (
        (a.start, a.start + 4 * a.span) for a in PLACED.args if isinstance(a, protocol.TensorAt)
    )
    inside = {"a": first <= at < end, "b": second <= at < last}
    wanted = next((name for name, there in inside.items() if there), "memory beside the inputs")
    assert ends.channel.modified_input(PLACED) == wanted
    ends.close()


@pytest.mark.parametrize("fault", [False, True])
def test_a_judge_without_listeners_leaves_quietly(ends: Ends, tmp_path: Path, fault: bool) -> None:
    """When the nursery is gone there is nobody to tell: neither that the learner could not be
    confined, nor of a fault."""
    ready, said = os.pipe()
    os.close(said)
    os.close(ends.events)
    (tmp_path / "solution.py").touch()
    (tmp_path / "reference.py").write_text("raise ValueError" if fault else REFERENCE)
    job = a_job(tmp_path)
    subject = LearnerProcess(os.getpid(), ends.fd, "")
    left = reference_cache.create()
    judging.judge(job, subject, ends.judge(ready, left))
    os.close(left)


def test_deeply_nested_folders_are_counted_and_removed(tmp_path: Path) -> None:
    """Neither the recursion limit nor the length of a path stops it, and nothing is left behind."""
    top = tmp_path / "work"
    top.mkdir()
    (top / "beside").write_bytes(bytes(3))
    home = os.getcwd()
    os.chdir(top)
    for _ in range(3000):
        os.mkdir("f")
        os.chdir("f")
    (Path() / "inmost").touch()
    os.chdir(home)
    assert process_stats.folder_bytes(top) > process_stats.MAX_WRITTEN
    nursery.remove_folder(top)
    assert list(tmp_path.iterdir()) == []


JUNK = st.one_of(
    st.binary(max_size=200),
    st.integers(0, 5000).map(lambda depth: b"\x91" * depth),
    st.integers(0, 5000).map(lambda depth: b"\x82\xa6number\x01\xa1x" + b"\x91" * depth + b"\x01"),
    st.binary(max_size=30).map(
        lambda text: b"\x82\xa6number\x01\xa6banned" + bytes([0xA0 + len(text)]) + text
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1)
        | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["number", "raised", "outputs", "kind", "value", "tensors", "banned",
                             "readings", "freed", "invalid_access", "message", "frames"]),
            inner, max_size=6,
        ),
        max_leaves=12,
    ).map(msgspec.msgpack.encode),
)  # fmt: skip
"""Bodies of replies as a submission could forge them."""


@settings(max_examples=2000)
@given(JUNK)
def test_odd_replies_are_replies_or_malformed(body: bytes) -> None:
    """Whatever is written into the pipe of replies, the judge reads a reply whose fields are
    bounded, or is told that there is none."""
    read, write = os.pipe()
    os.write(write, len(body).to_bytes(8, "little") + body)
    os.close(write)
    try:
        reply = wire.receive(read, protocol.Reply)
        assert len(reply.outputs) <= protocol.MAX_OUTPUTS and len(reply.banned) <= 200
    except wire.Malformed:
        pass
    finally:
        os.close(read)
