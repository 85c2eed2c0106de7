"""Edits of a submission: each is one change and valid Python, and undoing it restores the file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from quizprep.worker.learner.candidates import Candidates, OutOfSteps
from quizprep.worker.learner.edits import MAX_EDITS, edits

ROOT = Path(__file__).parents[2]
SOURCES = [
    *sorted((ROOT / "solutions").glob("*.py")),
    *sorted((ROOT / "tests/honest").glob("*/*.py")),
]


@pytest.mark.parametrize("path", SOURCES[::7], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_edit_is_valid_python_and_can_be_undone(path: Path) -> None:
    """With an edit the file compiles and differs; without it, it is what it was."""
    tree = ast.parse(path.read_text())
    before = ast.dump(tree)
    found = edits(tree)
    assert found
    assert len(found) <= 2 * MAX_EDITS
    lines = len(path.read_text().splitlines())
    for edit in found[:: max(1, len(found) // 60)]:
        edit.apply()
        compile(tree, "x", "exec")
        assert ast.dump(tree) != before, edit.kind
        edit.undo()
        assert ast.dump(tree) == before, edit.kind
        assert 1 <= edit.line <= lines
        assert edit.before != edit.after


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("mask = j < i", "j <= i"),
        ("x = x[:, :n]", "x[:, :n + 1]"),
        ("x = torch.ones(n, n).tril()", "torch.ones(n, n).tril(diagonal=1)"),
        ("x = a.sum(dim=-2)", "-1"),
        ("x = a @ b", "a @ b * a.shape[-1] ** (-0.5)"),
        ("x = x.max(b - a)", "a - b"),
        ("x = torch.exp(x)", "torch.nan_to_num(torch.exp(x), nan=0.0)"),
        ("x = a // b", "-(-a // b)"),
        ("x = a.float()", "a.to(torch.promote_types(a.dtype, torch.float32))"),
        ("x.mul_(2)", "x.mul(2)"),
        ("x = torch.einsum('ij,jk->ik', a, b)", "'ji,jk->ik'"),
        ("n = a.shape[0]\n    m = b.shape[0]\n    x = n", "m"),
        ("x = a\n    x = torch.tril(x)", "torch.triu(x)"),
        ("x = x + a @ b", "x * y + a @ b"),
        ("x = a.masked_fill(a > 0, True)", "False"),
    ],
)
def test_what_people_need_is_among_the_edits(wrong: str, right: str) -> None:
    """The change that mends a slip of each kind is one of the edits."""
    source = f"import torch\n\n\ndef f(a, b):\n    y = b.exp()\n    {wrong}\n    return x\n"
    assert right in {edit.after for edit in edits(ast.parse(source))}


def test_only_what_ran_is_edited() -> None:
    """Lines that were not executed are left alone."""
    source = "def f(a):\n    if a > 0:\n        return a + 1\n    return a - 1\n"
    lines = {edit.line for edit in edits(ast.parse(source), lines={2, 4})}
    assert lines <= {2, 4}
    assert 4 in lines


def candidates(source: str, tmp_path: Path) -> Candidates:
    path = tmp_path / "submission.py"
    path.write_text(source)
    return Candidates(source.encode(), str(path), "a_submission", kernels=False)


LOOP = """
def f(n):
    i = 0
    while i < n:
        i = i + 1
    return i
"""


def test_a_candidate_that_loops_for_ever_is_stopped(tmp_path: Path) -> None:
    """Every candidate ends, by itself or by the bound on its steps; steps are counted."""
    found = candidates(LOOP, tmp_path)
    with found.calling(0, 100):
        assert found.module(0).f(3) == 3
    assert found.steps == 4
    stopped = 0
    for number in range(1, found.count() + 1):
        with found.calling(number, 100):
            try:
                found.module(number).f(3)
            except OutOfSteps:
                stopped += 1
            except Exception:
                continue
        assert found.steps <= 101
    assert stopped


def test_candidates_share_nothing(tmp_path: Path) -> None:
    """Each is executed afresh: what one kept in its module is not there in the next."""
    found = candidates(
        "seen = []\n\n\ndef f(n):\n    seen.append(n + 1)\n    return len(seen)\n", tmp_path
    )
    with found.calling(0, 100):
        assert [found.module(0).f(1), found.module(0).f(1)] == [1, 2]
    number = next(n for n in range(1, found.count() + 1) if found.edit(n).after == "n - 1")
    with found.calling(number, 100):
        assert found.module(number).f(1) == 1
        assert found.module(number).seen == [0]
