"""The submission's mask and where values are wrong, as pictures."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.library import Library, shipped_root
from quizprep.grading import report
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.verdict import MaskSeen
from quizprep.worker.judge.comparison import Expected
from quizprep.worker.judge.diagnosis import Observed
from quizprep.worker.judge.mask_probe import error_map
from tests.unit.jobs import a_case

EXERCISE = Library(shipped_root()).exercise("causal_mask")
CODE = """
import torch

def causal_attention(q, k, v):
    n, m = q.shape[-2], k.shape[-2]
    i, j = torch.arange(n)[:, None], torch.arange(m)[None, :]
    hidden = {hidden}
    scores = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).masked_fill(hidden, -torch.inf)
    return torch.softmax(scores, -1).masked_fill(hidden, 0) @ v
"""
HIDDEN = {
    "j > i": lambda i, j, n, m: j <= i,
    "j <= i + m - n": lambda i, j, n, m: j > i + m - n,
    "j > 2 * i": lambda i, j, n, m: j <= 2 * i,
    "j % 2 == 1": lambda i, j, n, m: j % 2 == 0,
}


def mask(grader: Grader, hidden: str) -> MaskSeen | None:
    source = CODE.format(hidden=hidden).encode()
    verdict = grader.grade(EXERCISE, Submission("a.py", source), seed=5)
    found = verdict.stage("diagnosis").mask
    if found is not None:
        text = "\n".join(line.text for line in report.lines(verdict))
        assert "Which keys each query sees" in text and "yours" in text
    return found


def test_the_mask_is_the_submissions_own(grader: Grader) -> None:
    """What is shown is the mask that the code has, beside the right one."""
    for hidden, sees in HIDDEN.items():
        found = mask(grader, hidden)
        assert found is not None, hidden
        n, m = int(str(found.params["n"])), int(str(found.params["m"]))
        seen = [[sees(i, j, n, m) for j in range(m)] for i in range(n)]
        right = [[j <= i + m - n for j in range(m)] for i in range(n)]
        assert [list(row) for row in found.seen] == seen, hidden
        assert [list(row) for row in found.right] == right


def test_no_mask_is_shown_where_it_is_right(grader: Grader) -> None:
    """A wrong scale leaves the mask alone."""
    source = CODE.format(hidden="j > i + m - n").replace("** -0.5", "** -1.0").encode()
    verdict = grader.grade(EXERCISE, Submission("a.py", source), seed=5)
    assert not verdict.passed
    assert verdict.stage("diagnosis").mask is None


@given(st.integers(0, 2**31), st.integers(3, 9), st.integers(3, 9))
def test_a_map_is_where_values_are_wrong(seed: int, rows: int, columns: int) -> None:
    """The map has the wrong entries of the axes it names, unless they form a rectangle."""
    rng = np.random.default_rng(seed)
    bad = np.broadcast_to(rng.random((rows, columns)) < 0.5, (2, rows, columns))
    right = rng.standard_normal(bad.shape)
    expected = Expected((right,), (np.asarray(1e-6),), ("float64",))
    got = right + bad
    observed = Observed((), expected, (got,), "", True, straightened=(got,))
    found = error_map(a_case(), observed, "o", ("h", "n", "d"))
    grid = bad[0]
    odd = np.outer(grid.any(axis=1), grid.any(axis=0)) & ~grid
    if odd.sum() < 3:
        assert found is None
    else:
        assert found is not None and found.axes == ("n", "d")
        assert np.array_equal(found.wrong, grid)
