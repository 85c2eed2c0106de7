"""The light commands stay light, and the check that says so can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.imports import ROOT, assert_not_imported

HEAVY = {"torch", "numpy", "triton", "sympy", "pint", "rich", "jinja2", "pydantic"}
BANK = str(ROOT / "tests" / "golden" / "ask" / "bank")


def test_a_whole_round_of_questions_imports_nothing_heavy(tmp_path: Path) -> None:
    """Answers, hints, marks and the summary included, `ask` needs no torch, numpy or triton."""
    replies = "b\n?\nb d\nc b d a\nzero\n128 KiB\nn w d\n[1]\nthe variance grows\n\n"
    assert_not_imported(
        ["ask", "--bank", BANK, "--seed", "3"],
        HEAVY,
        tmp_path,
        env={"QUIZPREP_HOME": str(tmp_path / "home")},
        stdin=replies,
    )


def test_importing_the_store_is_cheap(tmp_path: Path) -> None:
    """The store brings neither SQLite nor the scheduler nor the content before it is opened."""
    assert_not_imported("quizprep.store", {"sqlite3", "fsrs", "msgspec", "yaml"}, tmp_path)


def test_a_planted_import_is_detected_in_a_module(tmp_path: Path) -> None:
    """A module that imports torch, even deep in a function it calls, fails the check."""
    (tmp_path / "torch.py").write_text("")
    (tmp_path / "planted.py").write_text("def f():\n    import torch\nf()\n")
    with pytest.raises(AssertionError, match="planted imports torch"):
        assert_not_imported("planted", HEAVY, tmp_path, env={"PYTHONPATH": str(tmp_path)})


def test_a_planted_import_is_detected_in_a_command(tmp_path: Path) -> None:
    """A command in whose process numpy is imported fails the check."""
    (tmp_path / "numpy.py").write_text("")
    (tmp_path / "sitecustomize.py").write_text("import numpy\n")
    with pytest.raises(AssertionError, match="numpy"):
        assert_not_imported(["--version"], HEAVY, tmp_path, env={"PYTHONPATH": str(tmp_path)})


def test_the_grading_parent_imports_nothing_heavy(tmp_path: Path) -> None:
    """A whole grading, verdict and report included, leaves numpy to its worker processes."""
    submission = tmp_path / "softmax.py"
    submission.write_text((ROOT / "solutions" / "softmax.py").read_text())
    assert_not_imported(
        ["grade", "softmax", str(submission)],
        {"torch", "numpy", "triton", "safetensors"},
        tmp_path,
        env={"QUIZPREP_HOME": str(tmp_path / "home")},
    )
