"""``export``, ``import``, ``backup`` and ``reset``, as the real program."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from quizprep.quiz.scheduling import reschedule
from quizprep.store import FILE_NAME, Store
from tests.cli.practice import live
from tests.cli.program import Program
from tests.unit.test_store import ANSWER, NOW


@pytest.fixture
def learner(tmp_path: Path) -> Path:
    """The home of a learner."""
    live(tmp_path / "home", "learner")
    return tmp_path / "home"


def test_a_history_moves_to_another_home(learner: Path, quizprep: Program, folder: Path) -> None:
    """Through a file or a pipe; a second time nothing is new, and progress is the same."""
    assert quizprep("export", "all.jsonl").returncode == 0
    text = (folder / "all.jsonl").read_text()
    assert quizprep("export").stdout == text
    before = quizprep("progress", "--json").stdout
    shutil.rmtree(learner)
    done = quizprep("import", "all.jsonl")
    assert done.returncode == 0 and done.stdout.startswith("Added: "), done.stderr
    assert quizprep("progress", "--json").stdout == before
    again = quizprep("import", "-", replies=text)
    assert again.stdout == "Nothing new: all of it was stored already.\n"
    assert quizprep("export").stdout == text


def test_nothing_that_exists_is_written_over(
    learner: Path, quizprep: Program, folder: Path
) -> None:
    (folder / "mine").write_text("mine")
    for command in ("export", "backup"):
        done = quizprep(command, "mine")
        assert done.returncode == 2 and "exists already" in done.stderr
    assert (folder / "mine").read_text() == "mine"


def test_a_backup_takes_the_place_of_the_store(learner: Path, quizprep: Program) -> None:
    """It lies beside the store unless a file is named, and the command to go back works."""
    before = quizprep("export").stdout
    done = quizprep("backup")
    assert done.returncode == 0, done.stderr
    quizprep("undo")
    assert quizprep("export").stdout != before
    source, target = done.stdout.splitlines()[-1].split()[-2:]
    assert Path(target) == learner / FILE_NAME
    shutil.copy(source, target)
    assert quizprep("export").stdout == before


def test_a_bad_file_is_named_and_imports_nothing(quizprep: Program, folder: Path) -> None:
    (folder / "bad.jsonl").write_text("{}\n")
    for file in ("bad.jsonl", "absent.jsonl"):
        done = quizprep("import", file)
        assert done.returncode == 2 and len(done.stderr.splitlines()) in (1, 2)
    with Store.open(folder.parent / "home") as store:
        assert store.reviews() == []


def test_what_is_reset_counts_as_not_tried(learner: Path, quizprep: Program) -> None:
    """An exercise and a question by name; what is not meant is asked first."""
    asked = quizprep("reset", "softmax", replies="n\n")
    assert asked.returncode == 1 and "Nothing was reset" in asked.stderr
    question = "basics-rank"
    with Store.open(learner) as store:
        store.record_attempt("softmax", True, [], "{}", NOW)
        store.record_review(replace(ANSWER, question=question), reschedule)
    done = quizprep("reset", "Softmax", question, "--yes")
    assert done.returncode == 0, done.stderr
    assert "counts as not tried: quizprep start softmax" in done.stdout
    with Store.open(learner) as store:
        assert store.attempts("softmax") == [] and question not in store.latest()
        assert store.attempts() != [] and store.reviews() != []


def test_a_topic_is_reset_as_a_whole(quizprep: Program) -> None:
    quizprep("ask", "masking", "-n", "3", replies="x\nx\nx\n")
    done = quizprep("reset", "masking", "--yes")
    assert done.stdout == "3 answers no longer counted.\n", done.stderr
    wrong = quizprep("reset", "maskin", "--yes")
    assert wrong.returncode == 2 and "Did you mean masking" in wrong.stderr
