"""What the nursery does with bytes that it is given, without a learner."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quizprep.worker.nursery import SHOWN_OUTPUT, _Grading


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
    grading.out_r, grading.output, grading.printed = read, 0, bytearray()
    grading._drain()
    assert grading.output == len(text)
    assert grading.printed == text[:SHOWN_OUTPUT]
    for fd in (read, *(() if ended else (write,))):
        os.close(fd)
