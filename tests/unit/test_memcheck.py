"""Where kernels read and write: every access has an element, or is told with its line."""

from __future__ import annotations

import importlib
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.verdict import Verdict
from quizprep.worker import arena, protocol
from quizprep.worker.backends import TorchBackend

memcheck = pytest.importorskip("quizprep.worker.learner.memcheck", exc_type=ImportError)

TASK = Library(shipped_root()).exercise("triton_softmax")
SOURCE = """\
import torch
import triton
import triton.language as tl


@triton.jit
def load(at, inside):
    return tl.load(at, mask=inside, other=-float("inf"))


@triton.jit
def kernel(x, y, over_rows, over_cols, cols, B: tl.constexpr):
    row, c = tl.program_id(0), tl.arange(0, B)
    v = load(x + row * over_rows + c * over_cols, c < cols)
    v = tl.where(c < cols, v, -float("inf")).to(tl.float32)
    e = tl.exp(v - tl.max(v, 0))
    tl.store(y + row * cols + c, e / tl.sum(e, 0), mask=c < cols)


def softmax(x):
    rows, cols = x.shape
    y = torch.empty((rows, cols), dtype=x.dtype)
    kernel[(rows,)](x, y, *x.stride(), cols, B=triton.next_power_of_2(cols))
    return y
"""
LOAD_LINE = 8
STORE_LINE = 17


def grade(grader: Grader, old: str, new: str) -> Verdict:
    assert SOURCE.count(old) == 1
    source = SOURCE.replace(old, new).encode()
    return grader.grade(TASK, Submission("mine.py", source), seed=3)


def messages(verdict: Verdict) -> set[str]:
    failed = [case for case in verdict.stage("correctness").cases if case.status == "fail"]
    return {case.message for case in failed}


def test_an_honest_kernel_strays_nowhere(grader: Grader) -> None:
    """Every layout, guard zones and strided inputs among them."""
    assert grade(grader, "import torch", "import torch").passed


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "over_cols, c < cols)",
            "over_cols, c <= cols)",
            f"reads 1 element past the end of x (line {LOAD_LINE})",
        ),
        (
            "v = load(x + row * over_rows + c * over_cols, c < cols)",
            "v = load(x + row * over_rows + (c - 1) * over_cols, c <= cols)",
            f"before the start of x (line {LOAD_LINE})",
        ),
    ],
)
def test_a_read_without_an_element_is_told(grader: Grader, old: str, new: str, says: str) -> None:
    """By how many elements, of which input and on which line, though the outputs may be right."""
    verdict = grade(grader, old, new)
    assert not verdict.passed
    assert any(says in message for message in messages(verdict))


def test_right_outputs_do_not_excuse_it(grader: Grader) -> None:
    """A lane more is read and thrown away: nothing else is wrong, and nothing else is said. In a
    slice of wider rows that lane lies between two of them, and still it is the mask."""
    verdict = grade(grader, "over_cols, c < cols)", "over_cols, c <= cols)")
    for message in messages(verdict):
        place = "[12] elements? past the end|between the elements"
        assert re.match(rf"Your kernel reads ({place}) of x", message)
    assert [m.id for m in verdict.mistakes] == ["lanes_without_an_element"]
    assert not verdict.stage("diagnosis").unexplained


def test_gaps_between_elements_are_none_of_the_input(grader: Grader) -> None:
    """A kernel that takes a strided row for a contiguous one is told so."""
    verdict = grade(grader, "c * over_cols, c < cols)", "c, c < cols)")
    assert any("between the elements of x" in message for message in messages(verdict))
    assert [mistake.concept for mistake in verdict.mistakes] == ["strides"]


def test_a_write_past_the_end_of_a_result_is_told(grader: Grader) -> None:
    """It lies in nobody's tensor: the submission's own are known from the launch."""
    verdict = grade(grader, "tl.sum(e, 0), mask=c < cols)", "tl.sum(e, 0), mask=c < cols + 1)")
    assert any(
        f"writes 1 element past the end of y (line {STORE_LINE})" in message
        for message in messages(verdict)
    )


@pytest.mark.parametrize(
    ("store", "says"),
    [
        (
            "tl.store(y + row * cols + c, {}, mask=c >= 0)",
            r"writes \d+ elements? past the end of y",
        ),
        ("tl.store(y - 100000 + c, {}, mask=c < cols)", "writes outside every tensor"),
        (
            "tl.store(y + row * cols + c, {}, mask=c < cols)\n"
            "    tl.atomic_cas(y.to(tl.pointer_type(tl.int32)) + 100000, 0, 1)",
            "writes outside every tensor",
        ),
        ("tl.store(y - 1 + row * cols + c, {}, mask=c < cols)", "writes 1 element before the st"),
    ],
)
def test_a_write_outside_every_tensor_is_told_and_not_made(
    grader: Grader, store: str, says: str
) -> None:
    """Made, it would end the process in its allocator. The tensor is named where other lanes of
    the same write are in it."""
    values = "e / tl.sum(e, 0)"
    verdict = grade(
        grader, f"tl.store(y + row * cols + c, {values}, mask=c < cols)", store.format(values)
    )
    cases = verdict.stage("correctness").cases
    assert "skip" not in {case.status for case in cases}
    assert {mistake.id for mistake in verdict.mistakes} == {"lanes_without_an_element"}
    assert any(re.search(says, message) for message in messages(verdict))


def test_what_strays_are_called_is_a_concept_of_every_triton_exercise() -> None:
    """So that its questions come up, whichever kernel it was."""
    exercises = [e for e in Library(shipped_root()).exercises if e.spec.runtime == "triton"]
    assert exercises
    explanation = importlib.import_module("quizprep.worker.judge.explanation")
    assert all(explanation.NO_MASK.concept in exercise.spec.concepts for exercise in exercises)
    assert any(explanation.NO_STRIDES.concept in exercise.spec.concepts for exercise in exercises)


def test_an_input_without_elements_has_none_to_be_beside() -> None:
    """An access where an empty input lies is one outside every tensor."""
    memory = arena.attach(arena.create())
    empty = arena.lay_out({"x": np.ones((0, 4))}, TorchBackend(), "float32", "contiguous", True)
    checker = memcheck.AccessChecker(memory, empty.args, TorchBackend().itemsize, "mine.py")
    start = np.frombuffer(memory, np.uint8).ctypes.data
    lane: Any = SimpleNamespace(
        data=np.array([start + 64], np.uint64),
        get_element_ty=lambda: SimpleNamespace(primitive_bitwidth=32),
    )
    checker._valid(lane, SimpleNamespace(data=np.array([True])), False)
    assert checker.first_invalid == protocol.InvalidAccess(arg=-1, by=0, writes=False, line=0)
