"""``quizprep sheet``, run as a user runs it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from quizprep.quiz.scheduling import reschedule
from quizprep.store import Answer, Store
from tests.cli.program import Program

BANK = Path(__file__).parents[1] / "golden" / "sheets" / "bank"


@pytest.fixture
def sheet(quizprep: Program) -> Program:
    """Runs ``quizprep sheet`` in the folder."""
    return partial(quizprep, "sheet")


def test_a_page_is_written_under_a_plain_name(sheet, folder: Path) -> None:
    """Without options one HTML file of all topics appears in the folder."""
    result = sheet()
    assert result.returncode == 0, result.stderr
    assert "Wrote quizprep-sheet.html" in result.stdout
    assert (
        (folder / "quizprep-sheet.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    )


def test_topics_are_found_in_any_spelling(sheet, folder: Path) -> None:
    """A topic may be written with an underscore; its sheet carries its name."""
    assert sheet("KV_cache", "--format", "md").returncode == 0
    assert "# The KV cache" in (folder / "quizprep-sheet-kv-cache.md").read_text(encoding="utf-8")


def test_a_dash_prints(sheet, folder: Path) -> None:
    """-o - writes to standard output and nowhere else."""
    result = sheet("scaling", "--format", "md", "-o", "-")
    assert result.stdout.startswith("<!-- Written by quizprep sheet -->")
    assert list(folder.iterdir()) == []


def test_a_sheet_is_replaced_and_another_file_is_not(sheet, folder: Path) -> None:
    """Writing twice works; a file of the user's is left as it is, with exit code 2."""
    target = folder / "mine.html"
    assert sheet("scaling", "-o", "mine.html").returncode == 0
    first = target.read_bytes()
    assert sheet("scaling", "--seed", "5", "-o", "mine.html").returncode == 0
    assert target.read_bytes() != first
    target.write_text("my notes", encoding="utf-8")
    result = sheet("scaling", "-o", "mine.html")
    assert result.returncode == 2
    assert "mine.html exists already" in result.stderr and "-o PATH" in result.stderr
    assert target.read_text(encoding="utf-8") == "my notes"
    assert [path.name for path in folder.iterdir()] == ["mine.html"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere",), "There is no topic called 'nowhere'"),
        (("-o", "no/such/folder.html"), "There is no folder"),
        (("-o", "."), "exists already"),
        (("--format", "doc"), "'doc' is not"),
        (("--format", "md", "--cheat"), "A cheat sheet is a PDF"),
        (("--no-answers", "--cheat"), "exclude each other"),
        (("--format", "pdf", "-o", "-"), "is not printed to the terminal"),
    ],
)
def test_a_wrong_use_is_explained(sheet, arguments: tuple[str, ...], says: str) -> None:
    """What cannot be done ends in one clear message and exit code 2."""
    result = sheet(*arguments)
    assert result.returncode == 2
    assert says in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "name", "begins"),
    [
        (("--format", "pdf"), "quizprep-sheet-kv-cache.pdf", b"%PDF"),
        (("--cheat",), "quizprep-cheat-kv-cache.pdf", b"%PDF"),
        (("--format", "anki"), "quizprep-sheet-kv-cache.apkg", b"PK"),
    ],
)
def test_other_formats_are_written_and_replaced(
    sheet, folder: Path, arguments: tuple[str, ...], name: str, begins: bytes
) -> None:
    """Each format has its own name; writing it again replaces it."""
    for _ in range(2):
        result = sheet("kv-cache", *arguments)
        assert result.returncode == 0, result.stderr
        assert (folder / name).read_bytes().startswith(begins)


def test_weak_shows_what_was_missed(sheet, folder: Path, tmp_path: Path) -> None:
    """With no history there is nothing to show; afterwards only what was missed, and why."""
    result = sheet("--weak")
    assert result.returncode == 1 and "quizprep ask" in result.stderr
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    with Store.open(tmp_path / "home") as store:
        for name, score in (("kv-why", 0.0), ("scaling-why", 1.0)):
            store.record_review(Answer(name, now, 1, "", score, 1, 0, None, "s"), reschedule)
    result = sheet("--weak", "--format", "md")
    assert result.returncode == 0, result.stderr
    text = (folder / "quizprep-sheet-weak.md").read_text(encoding="utf-8")
    assert "Answered once, not right, on 20 November 2026." in text
    assert text.count("#### Question") == 1


def test_a_bank_of_ones_own(sheet, folder: Path) -> None:
    """--bank makes the sheet from a folder of banks."""
    result = sheet("--bank", str(BANK), "--level", "junior")
    assert result.returncode == 0, result.stderr
    assert "4 questions on 1 topic" in result.stdout


def test_an_invalid_bank_is_named(sheet, tmp_path: Path) -> None:
    """Mathematics that cannot be set ends with exit code 3 and the question's name."""
    (tmp_path / "bad").mkdir()
    text = (BANK / "small.yaml").read_text(encoding="utf-8").replace(r"$(g/h)^{1/2} s$", r"$\foo$")
    (tmp_path / "bad" / "small.yaml").write_text(text, encoding="utf-8")
    for name in ("concepts.yaml", "sources.yaml"):
        (tmp_path / "bad" / name).write_text((BANK / name).read_text(encoding="utf-8"))
    result = sheet("--bank", str(tmp_path / "bad"))
    assert result.returncode == 3
    assert "small-ratio" in result.stderr and r"\foo" in result.stderr
