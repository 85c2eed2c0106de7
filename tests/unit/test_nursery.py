"""What the nursery does with bytes that it is given, without a learner."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprep.worker import process_stats
from quizprep.worker.nursery import MAX_EXTENSION, SHOWN_OUTPUT, _Grading


@settings(max_examples=30)
@given(st.lists(st.integers(1, 1 << 15), max_size=4), st.booleans())
def test_all_that_was_printed_is_taken_without_waiting(sizes: list[int], ended: bool) -> None:
    """Whether or not the learner has closed its end: everything up to now is read, and of it the
    beginning is kept."""
    read, write = os.pipe()
    text = b"".join(bytes([65 + number]) * size for number, size in enumerate(sizes))
    os.set_blocking(write, False)
    text = text[: os.write(write, text)] if text else b""
    if ended:
        os.close(write)
    grading: Any = _Grading.__new__(_Grading)
    grading.output_r, grading.output_bytes, grading.printed = read, 0, bytearray()
    grading._drain()
    assert grading.output_bytes == len(text)
    assert grading.printed == text[:SHOWN_OUTPUT]
    for fd in (read, *(() if ended else (write,))):
        os.close(fd)


@given(st.floats(0.001, 1e6), st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_learner_has_its_deadline_for_itself(deadline: float, judged: int, waited: int) -> None:
    """What the judge works and what the learner waits for a processor comes on top, up to a bound
    that holds whatever happens."""
    grading: Any = _Grading.__new__(_Grading)
    grading.setup, grading.judge_pid, grading.learner_pid = SimpleNamespace(deadline=deadline), 1, 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process_stats, "cpu_time", {1: judged}.__getitem__)
        patch.setattr(process_stats, "run_delay", {2: waited}.__getitem__)
        allowed = grading._allowed()
    assert deadline <= allowed <= MAX_EXTENSION * deadline
    assert allowed == MAX_EXTENSION * deadline or allowed - deadline == pytest.approx(
        (judged + waited) / 1e9, abs=1e-6 * deadline
    )


def test_what_a_process_waited_for_is_read_where_the_system_tells() -> None:
    """It only grows; nothing is told of a process that is over."""
    before = process_stats.run_delay(os.getpid())
    assert 0 <= before <= process_stats.run_delay(os.getpid())
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert process_stats.run_delay(child) == 0
