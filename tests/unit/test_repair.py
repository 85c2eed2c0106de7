"""The line of a slip, from the file to the verdict: named where one edit mends the file."""

from __future__ import annotations

import numpy as np
import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.grading import report
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool
from quizprep.grading.verdict import Stage, Verdict
from quizprep.worker.backends import NumpyBackend
from quizprep.worker.judge.departure import RightValues, departure

LIBRARY = Library(shipped_root())


def grade(pool: Pool, name: str, source: str) -> Verdict:
    submission = Submission(f"{name}.py", source.encode())
    # A search with time to spare, so that a busy machine changes nothing.
    return Grader(pool, search=30).grade(LIBRARY.exercise(name), submission, seed=3)


def diagnosis(pool: Pool, name: str, source: str) -> Stage:
    verdict = grade(pool, name, source)
    assert not verdict.passed
    assert not verdict.faulty
    return verdict.stage("diagnosis")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("causal_mask", "diagonal=m - n + 1", "diagonal=m - n"),
        ("causal_mask", "torch.softmax(scores, dim=-1)", "torch.softmax(scores, dim=-2)"),
        ("flash_forward", "torch.exp(top - raised)", "torch.exp(raised - top)"),
        ("kv_cache", "q.shape[-1] ** -0.5", "q.shape[-1] ** 0.5"),
        ("kv_cache", "self.values[:, :, : self.length]", "self.keys[:, :, : self.length]"),
        ("softmax", "axis=axis, keepdims=True)", "axis=-1, keepdims=True)"),
        ("grouped_query", "weights @ v", "weights @ k"),
        ("triton_softmax", "exponentials / tl.sum(", "exponentials / tl.max("),
    ],
)
def test_the_line_of_a_slip_is_found(name: str, old: str, new: str, pool: Pool) -> None:
    """In functions, classes, kernels and numpy: the line that was changed, and the edit that
    changes it back."""
    source = LIBRARY.exercise(name).solution.read_text("utf-8")
    assert old in source, name
    broken = source.replace(old, new, 1)
    lines = broken.splitlines()
    changed = next(
        n for n, (a, b) in enumerate(zip(lines, source.splitlines(), strict=True)) if a != b
    )
    slip = diagnosis(pool, name, broken).slip
    assert slip is not None
    assert (slip.line, slip.text) == (changed + 1, lines[changed].strip())
    assert "pass" not in slip.edit


CAUSAL = """
import torch
{head}
def causal_attention(q, k, v):
    n, m = q.shape[-2], k.shape[-2]
    scores = (q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5
    hidden = torch.ones(n, m, dtype=torch.bool).triu(diagonal=m - n + 2)
{body}
    weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
    return torch.nan_to_num(weights, nan=0.0) @ v
"""


def test_an_endless_candidate_is_harmless(pool: Pool) -> None:
    """A loop that an edit makes endless is stopped, and the search goes on to the right edit."""
    body = "    i = 0\n    while i < n:\n        i += 1"
    slip = diagnosis(pool, "causal_mask", CAUSAL.format(head="", body=body)).slip
    assert slip is not None
    assert "diagonal" in slip.text


@pytest.mark.parametrize(
    "body",
    [
        "    scores = scores + torch.rand_like(scores)",
        "    if hasattr(torch, '_seen'):\n        scores = scores * 3\n    torch._seen = 1",
    ],
    ids=["random", "keeps state"],
)
def test_a_submission_that_does_not_repeat_is_not_searched(body: str, pool: Pool) -> None:
    """Where the same call gives something else, no line is named."""
    found = diagnosis(pool, "causal_mask", CAUSAL.format(head="", body=body))
    assert found.slip is None


@pytest.mark.parametrize(
    "act",
    [
        "os._exit(0)",
        "time.sleep(60)",
        "[0 for _ in iter(int, 1)]",
        "os.closerange(3, 64)",
        "[os.write(fd, b'x' * 999) for fd in range(3, 64) if writable(fd)]",
    ],
)
def test_a_submission_that_resists_the_search_keeps_its_verdict(act: str, pool: Pool) -> None:
    """A second load, as candidates are loaded, ends, hangs or writes into the pipe: the verdict is
    the submission's, and no line is named."""
    head = f"""import fcntl, os, time
def writable(fd):
    try:
        return fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_WRONLY
    except OSError:
        return False
if hasattr(torch, "_loaded"):
    {act}
torch._loaded = True
"""
    found = diagnosis(pool, "causal_mask", CAUSAL.format(head=head, body=""))
    assert found.slip is None
    assert found.mistakes


def test_what_candidates_print_is_not_shown(pool: Pool) -> None:
    """Only the submission's own output is in the verdict."""
    head = 'if hasattr(torch, "_loaded"):\n    print("a candidate")\ntorch._loaded = True\n'
    assert grade(pool, "causal_mask", CAUSAL.format(head=head, body="")).printed == ""


def test_a_repair_that_skips_the_work_is_refused(pool: Pool) -> None:
    """A tile as long as the sequence makes wrong merging invisible: that is no repair."""
    source = LIBRARY.exercise("flash_forward").solution.read_text("utf-8")
    wrong = source.replace(
        "            top = raised\n", "            top = raised * 0.5\n"
    ).replace(
        "    n, d = q.shape[-2:]\n", "    n, d = q.shape[-2:]\n    block = min(block, block)\n"
    )
    slip = diagnosis(pool, "flash_forward", wrong).slip
    assert slip is None or "block" not in slip.text


def test_the_report_has_the_line_and_not_the_edit(pool: Pool) -> None:
    """The edit gives the answer away: it is in the JSON and in the hint that was asked for."""
    verdict = grade(pool, "causal_mask", CAUSAL.format(head="", body=""))
    slip = verdict.stage("diagnosis").slip
    assert slip is not None
    text = "\n".join(line.text for line in report.lines(verdict))
    assert f"line {slip.line}: one small change there makes all" in text
    assert slip.text in text
    assert slip.edit not in text
    assert slip.edit in report.slip_hint(slip)
    assert slip.edit in report.to_json(verdict)


def test_values_depart_where_they_first_differ() -> None:
    """Up to the first wrong value all occur in a right answer, transposed or scaled; behind it
    none; a line that is right again later is no parting."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 4))

    def solve(x: np.ndarray) -> np.ndarray:
        scores = x @ x.T
        return np.exp(scores - scores.max())

    right = RightValues([solve], [x], NumpyBackend())
    scores = x @ x.T
    wrong = np.exp(scores * 1.1)
    assert right.has((scores / 2).T)
    assert right.has(wrong) is False
    assert right.has(np.ones(9)) is None
    values = [(3, scores), (4, scores.T * 0.5), (5, wrong), (6, wrong * 3)]
    assert departure(values, right) == (4, 5)
    assert departure([*values, (7, scores)], right) is None
    assert departure(values[2:], right) is None
    assert departure(values[:2], right) is None
