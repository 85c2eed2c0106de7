"""What a submission returns, leaves behind or does to its process is a failed stage with a reason,
never a fault of the program."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.verdict import Verdict

LIBRARY = Library(shipped_root())

OLD_SYSTEM_CALL = """
import ctypes, mmap
def causal_attention(q, k, v):
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(bytes.fromhex("b814000000cd80c3"))  # getpid, as a 32-bit program calls it
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    return q
"""
NESTED = """
import os
for _ in range(1300):
    os.mkdir("f")
    os.chdir("f")
def causal_attention(q, k, v):
    return q
"""
FORGED = """
import os, struct
def causal_attention(q, k, v):
    body = {body}
    for fd in range(3, 32):
        try:
            os.write(fd, struct.pack("<Q", len(body)) + body)
        except OSError:
            continue
    return q
"""
RETURNS = "import torch\ndef causal_attention(q, k, v):\n    return {result}\n"
FAULTS = {
    "axes": (RETURNS.format(result="q.new_zeros([1] * 100)"), "o has 100 axes"),
    "empty": (RETURNS.format(result="torch.empty(0, 2**40, 2**20)"), "o has the shape (0, 1099511"),
    "utf-8": (FORGED.format(body=r"b'\x82\xa6number\x01\xa6banned\xa2\xff\xff'"), "no reply"),
    "nested": (FORGED.format(body=r"b'\x82\xa6number\x01\xa1x' + b'\x91' * 99999"), "no reply"),
    "folders": (NESTED, "o is wrong everywhere"),
    "architecture": (OLD_SYSTEM_CALL, "crashed with SIGSYS"),
}


def said(verdict: Verdict) -> str:
    """All that the stages that failed say."""
    failed = [stage for stage in verdict.stages if stage.status == "fail"]
    assert failed and not verdict.faulty, verdict.stages
    return "\n".join(
        text for stage in failed for text in (stage.message, *(c.message for c in stage.cases))
    )


@pytest.mark.parametrize("name", FAULTS)
def test_odd_deed_fails_with_its_reason(name: str, grader: Grader) -> None:
    """It fails, by name, and the program finds no fault with itself."""
    source, says = FAULTS[name]
    before = set(os.listdir(tempfile.gettempdir()))
    submission = Submission("odd.py", source.encode())
    assert says in said(grader.grade(LIBRARY.exercise("causal_mask"), submission, seed=3))
    # The next grading begins after the first has tidied up.
    exercise = LIBRARY.exercise("causal_mask")
    assert grader.grade(exercise, Submission("s.py", exercise.solution.read_bytes()), seed=3).passed
    left = set(os.listdir(tempfile.gettempdir())) - before
    inside = [Path(tempfile.gettempdir(), each, "work", "f") for each in left]
    assert not any(each.exists() for each in inside)


def test_large_integer_of_a_script_is_a_wrong_number(grader: Grader) -> None:
    """A number that no message can hold is wrong as any other, and the process goes on."""
    exercise = LIBRARY.exercise("kv_cache")
    source = exercise.solution.read_text("utf-8") + (
        "\n    def attend(self, q):\n        return 2**64\n"
        "    def append(self, k, v):\n        return -2**70\n"
    )
    verdict = grader.grade(exercise, Submission("odd.py", source.encode()), seed=3)
    assert "Traceback" not in verdict.printed
    assert "the shape is ()" in said(verdict)
