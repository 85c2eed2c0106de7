"""The data of pictures is checked: every name in it is one, and every formula has its values."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from quizprep.authoring.bank_checks import load_library_problems
from quizprep.authoring.picture_checks import picture_problems
from quizprep.content.library import Library, shipped_root
from quizprep.errors import ContentError
from quizprep.sheets.pictures import plots

FILES = ("plots.yaml", "hardware.yaml")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A library with the shipped banks, exercises and pictures."""
    for name in ("questions", "exercises"):
        shutil.copytree(shipped_root() / name, tmp_path / name)
    return tmp_path


def changed(root: Path, old: str, new: str) -> tuple[Path, int]:
    """Replace a text in one of the files; the file and the line of the change."""
    for path in (root / "exercises" / name for name in FILES):
        text = path.read_text(encoding="utf-8")
        if old in text:
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
            return path, text.count("\n", 0, text.index(old)) + 1
    raise AssertionError(f"{old} is in none of the files")


def test_what_is_shipped_has_no_problem() -> None:
    """The shipped pictures refer to what exists."""
    assert picture_problems(Library(shipped_root())) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("every_mask: masking", "every_mask: maskin", "every_mask: maskin is not in the topics"),
        (
            "topics: [kv-cache,",
            "topics: [kv-cash,",
            "plots[0].topics[0]: kv-cash is not in the topics; did you mean kv-cache?",
        ),
        (
            "concepts: [roofline,",
            "concepts: [rooflines,",
            "plots[4].concepts[0]: rooflines is not in concepts.yaml; did you mean roofline?",
        ),
        (
            "exercise: flash_forward}",
            "exercise: flash_forwards}",
            "plots[1].curves[1].exercise: flash_forwards is not in exercises/; did you mean",
        ),
        (
            "question: serve-mla-intensity",
            "question: serve-mla-intensities",
            "plots[4].marks[3].question: serve-mla-intensities is not in any bank; did you mean",
        ),
        (
            "given: {heads: 128}",
            "given: {kv_heads: 128}",
            "plots[4].marks[3].given: gives no value to heads, which the formula",
        ),
        ("machine: h100-sxm", "machine: h200", "plots[4].machine: h200 is not in hardware.yaml"),
        ("meter: flops", "formula: n*k", "plots[2].formula: gives no value to k"),
        (
            "meter: flops",
            "formula: n*",
            "plots[2].formula: cannot be read as a formula",
        ),
        ("{bandwidth} TB/s", "{speed} TB/s", "plots[4].caption: holds {speed}, which is none of"),
        ("$m = n$", r"$m \foo n$", r"plots[1].caption: the command \foo is not in the subset"),
        ("origin: NV", "source: dao2021 # NV", "h100-sxm.source: dao2021 is not in sources.yaml"),
    ],
)
def test_what_is_not_there_is_told_with_its_line(
    copied: Path, old: str, new: str, says: str
) -> None:
    """A problem names the file, the line and the field."""
    path, line = changed(copied, old, new)
    problem = picture_problems(Library(copied))[0]
    assert Path(problem.file).name == path.name
    assert 0 <= line - (problem.line or 0) <= 2  # a folded text begins above its words
    assert f"{problem.field}: {problem.message}".startswith(says)


def test_an_unknown_meter_does_not_load(copied: Path) -> None:
    """The meters are those of a contract; another one is told as any wrong value."""
    _, line = changed(copied, "meter: peak_bytes", "meter: peak_byte")
    (problem,) = load_library_problems(Library(copied))
    assert (problem.line, problem.field) == (line, "plots[1].meter")
    assert "did you mean peak_bytes?" in problem.message


def test_a_plot_that_cannot_be_drawn_is_an_error_of_the_content(copied: Path) -> None:
    """A sheet of content that was never checked names the plot and asks for the check."""
    changed(copied, "{last_x}", "{last_y}")
    with pytest.raises(ContentError, match="KV cache of one sequence: cannot be drawn"):
        plots("kv-cache", Library(copied), {})
