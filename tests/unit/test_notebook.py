"""The IPython extension: the example notebook runs, and cells never run in the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cohort import RIGHT, WRONG
from tests.imports import ROOT, assert_not_imported

pytest.importorskip("IPython")

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

NOTEBOOK = ROOT / "examples" / "notebook.ipynb"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell with the extension loaded, and a home of its own."""
    monkeypatch.setenv("QUIZPREP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    made = InteractiveShell()
    made.extension_manager.load_extension("quizprep")
    yield made
    made.extension_manager.unload_extension("quizprep")
    made.history_manager.end_session()


def test_loading_needs_no_torch(tmp_path: Path) -> None:
    """The kernel imports nothing heavy for it."""
    assert_not_imported("quizprep.notebook", {"torch", "numpy", "triton", "mcp"}, tmp_path)


def test_a_cell_is_graded_outside_the_kernel(shell: InteractiveShell, tmp_path: Path) -> None:
    """A right cell passes, a wrong one shows why as HTML and as text, and neither runs here."""
    home = tmp_path / "home"
    passed = shell.run_cell_magic("grade", "softmax --no-record", RIGHT)
    assert repr(passed).startswith("softmax: passed")
    assert not home.exists() and "softmax" not in shell.user_ns
    shown = shell.run_cell_magic("grade", "softmax", "print('<b>hi</b>')\n" + WRONG)
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"].startswith("softmax: not passed")
    assert "&lt;b&gt;hi&lt;/b&gt;" in bundle["text/html"] and "<b>" not in bundle["text/html"]
    assert home.exists()
    with pytest.raises(UsageError, match="There is no exercise called"):
        shell.run_cell_magic("grade", "softmaxx", RIGHT)
    with pytest.raises(UsageError, match="Name one exercise"):
        shell.run_cell_magic("grade", "", RIGHT)


def test_questions_and_tasks(shell: InteractiveShell) -> None:
    """List, show, start, hint; a question is answered once."""

    def say(line: str) -> Any:
        return shell.run_line_magic("quizprep", line)

    assert "causal_mask" in repr(say("list"))
    assert "text/markdown" in say("show softmax")._repr_mimebundle_()
    say("start softmax")
    assert shell.rl_next_input.startswith("%%grade softmax\n")
    assert "Hint 1" in repr(say("hint softmax"))
    assert "%quizprep answer" in repr(say("ask scaling"))
    assert "Answer:" in repr(say("answer 12345 a")) or "Answer:" in repr(say("answer a"))
    assert "%%grade EXERCISE" in repr(say(""))


def test_the_example_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs in a real kernel, and the verdict names both mistakes."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    import nbformat

    monkeypatch.setenv("QUIZPREP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [out.data for cell in notebook.cells for out in cell.get("outputs", ())]
    verdict = next(data for data in outputs if "causal_mask: not passed" in data["text/plain"])
    for text in (verdict["text/plain"], verdict["text/html"]):
        assert "no_scale" in text and "strict_mask" in text
    assert outputs[-1]["text/plain"].startswith("Right.")
