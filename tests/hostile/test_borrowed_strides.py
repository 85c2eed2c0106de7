"""A kernel that takes the strides of one tensor for those of another fails, and so does one that
takes a slice of wider rows for a whole matrix: solutions with one such change each."""

from __future__ import annotations

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission

LIBRARY = Library(shipped_root())
SLIPS = {
    "v by the strides of k": ("triton_flash_forward", "*v.stride(),", "*k.stride(),"),
    "o by the strides of grad_o": (
        "triton_flash_backward",
        "o.stride(), grad_o.stride(), h",
        "grad_o.stride(), grad_o.stride(), h",
    ),
    "grad_o by the strides of q": (
        "triton_flash_backward",
        "v.stride(), grad_o.stride(), lse",
        "v.stride(), q.stride(), lse",
    ),
    "pages of v by those of k": ("triton_paged_decode", "*v_pages.stride(),", "*k_pages.stride(),"),
    "rows of a slice as if they were whole": (
        "triton_softmax",
        "*x.stride(),",
        "cols, x.stride(1),",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_borrowed_strides_fail(grader: Grader, slip: str) -> None:
    """Layouts are drawn for each input by itself, and rows may lie apart."""
    name, right, wrong = SLIPS[slip]
    exercise = LIBRARY.exercise(name)
    source = exercise.solution.read_text("utf-8")
    assert source.count(right) == 1
    changed = source.replace(right, wrong).encode()
    verdict = grader.grade(exercise, Submission(f"{name}.py", changed), seed=7)
    assert verdict.stage("correctness").status == "fail"
