"""``quizprep cohort`` as a teacher runs it: resumable, harmless, and in the formats of courses."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.program import COMMAND, Program, environment
from tests.cli.test_grade_interrupt import ENDLESS, _runs, children
from tests.cohort import KILLER, RIGHT, WRONG, hand_in, students
from tests.imports import ROOT

JSON = ("cohort", "course", "--format", "json")


@pytest.fixture
def course(folder: Path) -> Path:
    """A folder with three students."""
    made = folder / "course"
    hand_in(made, ada=RIGHT, bob=WRONG, eve=KILLER.format(0))
    return made


def stored(folder: Path) -> list[tuple[str, str]]:
    """The rows of the file of results: exercise and time."""
    with sqlite3.connect(folder / "course.quizprep.sqlite") as sql:
        return sql.execute("select exercise, at from results order by at").fetchall()


def test_a_second_run_grades_only_what_is_new(
    quizprep: Program, course: Path, folder: Path, tmp_path: Path
) -> None:
    """Results are kept; a new submission adds one grading; the teacher's own store is untouched."""
    first = quizprep(*JSON)
    assert first.returncode == 0, first.stderr
    found = students(first.stdout)
    assert {name: each["softmax"]["status"] for name, each in found.items()} == {
        "ada": "passed",
        "bob": "correctness",
        "eve": "correctness",
    }
    assert "3 gradings made now" in first.stderr
    rows = stored(folder)
    again = quizprep(*JSON)
    assert again.stdout == first.stdout and stored(folder) == rows
    assert "3 known already, 0 gradings made now" in again.stderr
    hand_in(course, bob=RIGHT)  # the same file as Ada's
    third = quizprep(*JSON)
    assert "0 gradings made now" in third.stderr
    assert students(third.stdout)["bob"]["softmax"]["versions"] == 2
    hand_in(course, bob=WRONG + "# again\n")
    assert "1 grading made now" in quizprep(*JSON).stderr
    assert len(stored(folder)) == 4
    assert not (tmp_path / "home" / "quizprep.db").exists()


def test_a_changed_exercise_grades_only_its_own_again(quizprep: Program, folder: Path) -> None:
    """The result is keyed by the files that judge; a README is none of them."""
    (folder / "mine" / "solutions").mkdir(parents=True)
    (folder / "course" / "ada").mkdir(parents=True)
    for name in ("first_task", "second_task"):
        shutil.copytree(ROOT / "exercises" / "softmax", folder / "mine" / "exercises" / name)
        (folder / "mine" / "solutions" / f"{name}.py").write_text(RIGHT)
        (folder / "course" / "ada" / f"{name}.py").write_text(RIGHT)
    where = (*JSON, "--exercises", "mine")
    assert "2 gradings made now" in quizprep(*where).stderr
    with (folder / "mine" / "exercises" / "first_task" / "README.md").open("a") as readme:
        readme.write("More.\n")
    assert "0 gradings made now" in quizprep(*where).stderr
    with (folder / "mine" / "exercises" / "first_task" / "mistakes.py").open("a") as mistakes:
        mistakes.write("# changed\n")
    assert "1 known already, 1 grading made now" in quizprep(*where).stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_leaves_a_file_that_goes_on(folder: Path, tmp_path: Path) -> None:
    """Stopped while a submission loops, the run ends with all its processes; the next goes on."""
    course = folder / "course"
    hand_in(course, ada=RIGHT, bob=ENDLESS)
    command = [*COMMAND, "cohort", "course", "--workers", "1", "--exercise", "softmax"]
    run = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stderr is not None
    assert run.stderr.readline() == "1/2 graded\n"
    family: list[int] = []
    while len(family) < 3:  # nursery, learner and judge
        assert run.poll() is None
        family = children(run.pid)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=30)
    assert run.returncode == 1 and "Stopped." in errors and "Traceback" not in errors
    for pid in family:
        for _ in range(1000):
            if not _runs(pid):
                break
            os.sched_yield()
        assert not _runs(pid)
    assert len(stored(folder)) == 1
    hand_in(course, bob=WRONG)
    done = subprocess.run(
        command, cwd=folder, env=environment(tmp_path / "home"), capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "1 known already, 1 grading made" in " ".join(done.stdout.split()), done.stdout


def test_names_and_files_of_students_are_not_trusted(
    quizprep: Program, course: Path, folder: Path
) -> None:
    """Links, paths and odd names are refused and reported; the others are graded."""
    secret = folder / "secret.py"
    secret.write_text(RIGHT)
    (course / "liz").mkdir()
    (course / "liz" / "softmax.py").symlink_to(secret)
    (course / "kim").symlink_to(folder)
    hand_in(course, **{"<b>\x1b[31m": RIGHT, "=cmd|x": RIGHT, "<i>dan": WRONG})
    (course / "ada" / "notes.py").write_text("")
    (course / "ada" / ".git").mkdir()
    os.mkfifo(course / "bob" / "causal_mask.py")
    done = quizprep(*JSON)
    assert done.returncode == 1
    assert set(students(done.stdout)) == {"ada", "bob", "eve", "=cmd|x", "<i>dan"}
    told = json.loads(done.stdout)
    assert {each["file"]: each["why"] for each in told["refused"]} == {
        "liz/softmax.py": "is a link; links are not followed",
        "kim": "is a link; links are not followed",
        "<b>?[31m/softmax.py": "belongs to a student without a name that can be printed",
        "bob/causal_mask.py": "is not a regular file",
    }
    assert told["unknown"] == ["ada/notes.py"]
    rows = list(csv.reader(quizprep("cohort", "course", "--format", "csv").stdout.splitlines()))
    assert "'=cmd|x" in [row[0] for row in rows] and "=cmd|x" not in [row[0] for row in rows]
    quizprep("cohort", "course", "--format", "html", "--output", "out")
    page = (folder / "out" / "index.html").read_text()
    assert "<i>" not in page and "&lt;i&gt;dan" in page
    inside = [path.relative_to(folder / "out") for path in (folder / "out").rglob("*.html")]
    assert len(inside) == 6 and all(len(path.parts) <= 2 for path in inside)


def test_a_map_names_files_and_cannot_leave_the_folder(
    quizprep: Program, course: Path, folder: Path
) -> None:
    """A CSV file says whose file is which exercise; one outside the folder is refused."""
    (course / "hw.py").write_text(RIGHT)
    (folder / "outside.py").write_text(RIGHT)
    (folder / "map.csv").write_text(
        "student,exercise,file\nada,softmax,hw.py\nbob,softmax,../outside.py\n"
        f"cyd,softmax,{folder}/outside.py\n../dan,softmax,hw.py\nada,softmaxx,hw.py\n"
    )
    done = quizprep(*JSON, "--map", "map.csv")
    assert done.returncode == 1
    assert students(done.stdout)["ada"]["softmax"]["status"] == "passed"
    told = json.loads(done.stdout)
    assert [each["why"] for each in told["refused"]] == [
        "belongs to a student whose name is a path",
        "is outside the folder",
        "is outside the folder",
    ]
    assert told["unknown"] == ["hw.py (softmaxx)"]


def test_formats_of_courses(quizprep: Program, course: Path, folder: Path) -> None:
    """Gradescope's and PrairieLearn's files have the fields that their descriptions ask for."""
    rule = "format: 1\npoints: 10\nstages: {load: 1, correctness: 6, cost: 3}\n"
    (folder / "credit.yaml").write_text(rule)
    give = ("cohort", "course", "--credit", "credit.yaml", "--exercise", "softmax", "--exercise")
    for name in ("gradescope", "prairielearn"):
        done = quizprep(*give, "causal_mask", "--format", name, "--output", name)
        assert done.returncode == 0, done.stderr
    one = json.loads((folder / "gradescope" / "ada" / "results.json").read_text())
    assert one["score"] == 10 == sum(test["score"] for test in one["tests"])
    assert [(t["name"], t["max_score"], t["status"]) for t in one["tests"]] == [
        ("causal_mask", 10, "failed"),
        ("softmax", 10, "passed"),
    ]
    assert all(isinstance(test["output"], str) for test in one["tests"])
    two = json.loads((folder / "prairielearn" / "bob" / "results.json").read_text())
    assert two["gradable"] is True and two["score"] == 1 / 20
    assert [(t["name"], t["points"], t["max_points"]) for t in two["tests"]] == [
        ("causal_mask", 0, 10),
        ("softmax", 1, 10),
    ]
    suites = ElementTree.fromstring(quizprep("cohort", "course", "--format", "junit").stdout)
    assert {suite.get("name"): suite.get("failures") for suite in suites} == {
        "ada": "0",
        "bob": "1",
        "eve": "1",
    }


def test_a_folder_of_one_student_gives_one_file(quizprep: Program, folder: Path) -> None:
    """As in an autograder: no folder for the student, and a file even if nothing was handed in."""
    (folder / "submission").mkdir()
    grade = ("cohort", "submission", "--layout", "{exercise}.py", "--exercise", "softmax")
    to = ("--format", "gradescope", "--output", "results")
    assert quizprep(*grade, *to).returncode == 0
    result = folder / "results" / "results.json"
    assert json.loads(result.read_text())["score"] == 0
    (folder / "submission" / "softmax.py").write_text(RIGHT)
    assert quizprep(*grade, *to).returncode == 0
    assert json.loads(result.read_text())["score"] == 1


def test_the_import_of_canvas(quizprep: Program, course: Path, folder: Path) -> None:
    """The students of a gradebook are found by any of its columns; who is missing is told."""
    book = folder / "book.csv"
    head = "Student,ID,SIS User ID,SIS Login ID,Section,softmax (17)\n"
    possible = "    Points Possible,,,,,5\n"
    book.write_text(f'\ufeff{head}{possible}"Lovelace, Ada",7,u7,ada,A,3\nbob,8,u8,b8,A,\n')
    ask = ("cohort", "course", "--format", "canvas")
    missing = quizprep(*ask, "--gradebook", "book.csv")
    assert missing.returncode == 2
    assert "1 student not in the gradebook: eve" in missing.stderr
    with book.open("a", encoding="utf-8") as file:
        file.write("Eve,9,u9,eve,A,\nFay,10,u10,fay,A,\n")
    done = quizprep(*ask, "--gradebook", "book.csv")
    assert list(csv.reader(done.stdout.splitlines())) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "softmax (17)"],
        ["    Points Possible", "", "", "", "", "1"],
        ["Lovelace, Ada", "7", "u7", "ada", "A", "1"],
        ["bob", "8", "u8", "b8", "A", "0"],
        ["Eve", "9", "u9", "eve", "A", "0"],
    ]


def test_numbers_instead_of_names(quizprep: Program, folder: Path) -> None:
    """Without names no format names a student, and a number stays with its student."""
    course = folder / "course"
    names = ("lovelace", "hopper", "turing")
    hand_in(course, lovelace=RIGHT, hopper='print("I am hopper")\n' + WRONG)
    (course / "hopper" / "notes.py").write_text("")
    first = quizprep(*JSON, "--anonymous")
    hand_in(course, turing=RIGHT)
    again = quizprep(*JSON, "--anonymous")
    quizprep("cohort", "course", "--anonymous", "--format", "html", "--output", "out")
    pages = [page.read_text() for page in (folder / "out").rglob("*.html")]
    assert len(pages) == 4
    for text in (first.stdout, again.stdout, *pages):
        assert not any(name in text for name in names)
    before, after = students(first.stdout), students(again.stdout)
    assert set(before) == {"1", "2"} and set(after) == {"1", "2", "3"}
    assert all(before[name] == after[name] for name in before)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--format", "html"], "--format html needs --output"),
        (["--output", "x"], "--output needs --format"),
        (["--layout", "{student}.py"], "does not name the exercise once"),
        (["--exercise", "softmaxx"], "Did you mean softmax"),
        (["--credit", "credit.yaml"], "points"),
        (["--credit", "unknown.yaml"], "there is no such exercise"),
        (["--results", "course/ada/softmax.py"], "cannot be used"),
        (["--results", "other.sqlite"], "a database of another program"),
        (["--map", "map.csv"], "has no column exercise, file"),
        (["--map", "broken.csv"], "is not CSV"),
    ],
)
def test_what_cannot_be_done_is_told_first(
    quizprep: Program, course: Path, folder: Path, arguments: list[str], says: str
) -> None:
    """Wrong options end in one message; nothing is graded and no file of a student is changed."""
    (folder / "credit.yaml").write_text("format: 1\npoints: -1\n")
    (folder / "unknown.yaml").write_text("format: 1\nexercises: {softmaxx: 1}\n")
    (folder / "map.csv").write_text("student\nada\n")
    (folder / "broken.csv").write_text('student,exercise,file\nada,"soft"max,x\n')
    with sqlite3.connect(folder / "other.sqlite") as other:
        other.execute("create table t (x)")
    done = quizprep("cohort", "course", *arguments)
    assert done.returncode in (1, 2, 3)
    assert says in done.stderr
    assert (course / "ada" / "softmax.py").read_text() == RIGHT
