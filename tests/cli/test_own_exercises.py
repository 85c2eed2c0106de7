"""Exercises of one's own, from the scaffold to a verdict, run as a user runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from quizprep.authoring.scaffold import MARK
from quizprep.cli.options import library_in
from quizprep.content.library import shipped_root
from quizprep.grading.submission import hidden_folders
from quizprep.store import Store
from tests.cli.program import Program


@pytest.fixture
def mine(quizprep: Program, tmp_path: Path) -> Path:
    """A folder with a filled-in exercise, ``my_task``."""
    done = quizprep("new", "exercise", "my-task", "--runtime", "numpy", "--folder", "mine")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "work" / "mine"
    for path in folder.rglob("*.*"):
        text = (
            path.read_text()
            .replace("sources: [todo-author", "sources: [vaswani2017")
            .replace("todo-author", "scaling")
        )
        path.write_text(text.replace(f"{MARK}: ", ""))
    return folder


WHERE = ("--exercises", "mine")


def test_from_the_scaffold_to_a_verdict(quizprep: Program, mine: Path, tmp_path: Path) -> None:
    """Checked, listed, started, shown, hinted, graded: the same commands as for ours."""
    checked = quizprep("check", "--write", "--exercise", "my_task", "mine")
    assert checked.returncode == 0, checked.stderr
    assert "my_task" in quizprep("list", *WHERE).stdout
    started = quizprep("start", "my-task", *WHERE)
    assert started.returncode == 0, started.stderr
    assert "quizprep grade my_task --exercises mine my_task.py" in started.stdout
    assert "## Task" in quizprep("show", "my_task", *WHERE).stdout
    assert "Hint 1 of 3" in quizprep("hint", "my_task", *WHERE).stdout
    failed = quizprep("grade", "my_task", *WHERE)
    assert failed.returncode == 1
    assert "my_task: not passed" in failed.stdout
    assert "--exercises mine" in quizprep("show", "my_task", "--solution", *WHERE).stderr
    passed = quizprep("grade", "my_task", "mine/solutions/my_task.py", *WHERE)
    assert passed.returncode == 0, passed.stdout
    assert "flops = " in passed.stdout
    assert "import numpy" in quizprep("show", "my_task", "--solution", *WHERE).stdout
    with Store.open(tmp_path / "home") as store:
        assert [attempt.passed for attempt in store.attempts("my_task")] == [False, True]
    assert "0 of " in (told := quizprep("progress").stdout)
    assert "passed, and 1 of your own." in told


def test_a_mistake_of_ones_own_brings_our_questions_forward(
    quizprep: Program, mine: Path, tmp_path: Path
) -> None:
    """A concept of ours that an own mistake points to becomes due, and its topic is named."""
    wrong = tmp_path / "work" / "wrong.py"
    solution = (mine / "solutions" / "my_task.py").read_text()
    wrong.write_text(solution.replace("axis=-1", "axis=0").replace("axis=1", "axis=0"))
    assert wrong.read_text() != solution
    done = quizprep("grade", "my_task", "wrong.py", *WHERE)
    assert done.returncode == 1
    assert "quizprep ask heads scaling" in " ".join(done.stdout.split()), done.stdout
    with Store.open(tmp_path / "home") as store:
        assert store.due_marks()


def test_what_lies_in_the_folder_is_hidden_from_submissions(
    mine: Path, quizprep: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reference and solution of an own exercise are as closed as ours, whatever path names them."""
    monkeypatch.chdir(mine.parent)
    for named in (Path("mine"), mine, Path("mine") / ".." / "mine"):
        hidden = hidden_folders(library_in(named))
        for root in (mine.resolve(), shipped_root()):
            for name in ("exercises", "solutions", "questions"):
                assert str(root / name) in hidden
    thief = tmp_path / "work" / "thief.py"
    source = mine / "solutions" / "my_task.py"
    thief.write_text(f"exec(open({str(source)!r}).read())\n")
    done = quizprep("grade", "my_task", "thief.py", *WHERE)
    assert done.returncode == 1
    assert "PermissionError" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("grade", "other", "--exercises", "mine"), 2, "There are: my_task."),
        (("grade", "my_task", "no.py", "--exercises", "mine"), 2, "start my_task --exercises mine"),
        (("list", "--exercises", "nowhere"), 2, "nowhere"),
        (("list", "--exercises", "empty"), 2, "quizprep new exercise ID --folder empty"),
        (("start", "my_task"), 2, "There is no exercise called 'my_task'."),
        (("new", "exercise", "rope", "--folder", "mine"), 2, "comes with quizprep"),
    ],
)
def test_what_is_not_there_is_a_usage_error(
    arguments: tuple[str, ...], code: int, says: str, mine: Path, quizprep: Program
) -> None:
    """One clear line, what to do, and exit code 2."""
    (mine.parent / "empty").mkdir()
    done = quizprep(*arguments)
    assert done.returncode == code
    assert says in done.stderr


def test_an_id_of_ours_is_refused_in_a_folder_of_ones_own(mine: Path, quizprep: Program) -> None:
    """Attempts are stored by id, so one of ours would count as passed."""
    (mine / "exercises" / "my_task").rename(mine / "exercises" / "rope")
    done = quizprep("grade", "rope", "x.py", *WHERE)
    assert done.returncode == 2
    assert "the id of an exercise that comes with quizprep" in done.stderr


def test_a_faulty_exercise_names_its_line(mine: Path, quizprep: Program) -> None:
    """The same errors as for ours: exit code 3, file, line, field."""
    spec = mine / "exercises" / "my_task" / "exercise.yaml"
    lines = spec.read_text().splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("minutes:"))
    lines[place] = "minutes: soon"
    spec.write_text("\n".join(lines) + "\n")
    done = quizprep("grade", "my_task", str(mine / "solutions" / "my_task.py"), *WHERE)
    assert done.returncode == 3
    assert f"exercise.yaml:{place + 1}: minutes" in done.stderr
    listed = quizprep("list", *WHERE)
    assert listed.returncode == 3
    assert listed.stdout == "" and f"exercise.yaml:{place + 1}: minutes" in listed.stderr
