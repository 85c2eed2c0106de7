"""The Python interface: light to import, judged like ``quizprep grade``, documented."""

from __future__ import annotations

from pathlib import Path

import pytest

import quizprep
from quizprep import GradingSession, Library, QuizprepError, as_text, grade
from tests.imports import ROOT, assert_not_imported
from tools import api_docs

SOLUTION = ROOT / "solutions" / "softmax.py"
WRONG = "def softmax(x, axis=-1):\n    return x\n"


def test_importing_the_package_imports_nothing_else(tmp_path: Path) -> None:
    """``import quizprep`` brings no dependency at all; its names come on first use."""
    heavy = {"click", "msgspec", "yaml", "rich", "jinja2", "torch", "numpy", "subprocess"}
    assert_not_imported("quizprep", heavy, tmp_path)
    light = {"torch", "numpy", "rich", "jinja2", "yaml", "click", "sqlite3", "distributed", "mcp"}
    assert_not_imported("quizprep.api", light, tmp_path)


def test_every_public_name_is_there_and_no_other() -> None:
    """``__all__`` holds what can be imported from the package; another name is an error."""
    for name in quizprep.__all__:
        assert getattr(quizprep, name) is not None
    with pytest.raises(AttributeError, match="gradee"):
        _ = quizprep.gradee


def test_texts_and_files_are_graded_and_nothing_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text and a file have the same verdict; a home appears only if the verdict is recorded."""
    home = tmp_path / "home"
    monkeypatch.setenv("QUIZPREP_HOME", str(home))
    with GradingSession() as session:
        assert session.grade("softmax", SOLUTION).passed
        assert session.grade("softmax", SOLUTION.read_text()).passed
        failed = session.grade("Softmax", WRONG, seed=5)
        again = session.grade("softmax", WRONG.encode(), seed=5)
    assert failed == again and not failed.passed
    assert as_text(failed).startswith("softmax: not passed\n")
    assert not home.exists()
    assert grade("softmax", SOLUTION, record=True).passed
    assert home.exists()


def test_what_cannot_be_graded_says_why(tmp_path: Path) -> None:
    """Errors of the caller are QuizprepErrors with a hint."""
    with GradingSession(Library()) as session:
        for exercise, source, says in (
            ("softmaxx", WRONG, "no exercise called"),
            ("softmax", "softmax.py", "looks like the name of a file"),
            ("softmax", tmp_path / "none.py", "There is no file"),
            ("softmax", "#" * (1 << 20) + "\n#", "larger than 1 MiB"),
            ("softmax", "\ud800\n", "UTF-8"),
        ):
            with pytest.raises(QuizprepError, match=says):
                session.grade(exercise, source)


def test_the_documentation_is_what_the_docstrings_say() -> None:
    """docs/api.md is up to date; if not: python -m tools.api_docs."""
    assert api_docs.TARGET.read_text(encoding="utf-8") == api_docs.page()
    assert "## grade" in api_docs.page()
