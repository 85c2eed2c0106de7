"""The program in poor surroundings: closed streams, no home, a store that cannot be used.

Whatever is missing, one clear line says so, and a verdict is shown all the same.
"""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.store import FILE_NAME, Store
from tests.cli.program import COMMAND, Program, environment

SOFTMAX = Library(shipped_root()).exercise("softmax")
GRADE = ["grade", "softmax", "softmax.py"]
NO_PASSWD = """\
import pwd
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
"""


@pytest.fixture(autouse=True)
def submission(folder: Path) -> Path:
    """A right submission in the folder in which the program runs."""
    path = folder / "softmax.py"
    path.write_text(SOFTMAX.solution.read_text())
    return path


def shell(
    folder: Path, home: Path, arguments: list[str], more: str
) -> subprocess.CompletedProcess[str]:
    """Run the program by a shell that closes or redirects its streams."""
    line = f"{shlex.join([*COMMAND, *arguments])} {more}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
    )


# --- streams -------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["<&-", "</dev/null >&-", "</dev/null 2>&-"])
@pytest.mark.parametrize(
    "arguments", [[], ["list"], ["hint", "softmax"], ["progress"], ["ask"], ["mock"], GRADE]
)
def test_a_closed_stream_reads_as_empty(
    arguments: list[str], closed: str, folder: Path, tmp_path: Path
) -> None:
    """Without standard input, output or error every command does what it would have done."""
    done = shell(folder, tmp_path / "home", arguments, closed)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["list"], 0), (["show", "softmax"], 0), (["progress"], 0), (["ask"], 0), (GRADE, 0),
     (["grade", "softmax", "wrong.py"], 1), (["grade", "softmax", "none.py"], 2)],
)  # fmt: skip
def test_a_reader_that_leaves_changes_no_exit_code(
    arguments: list[str], code: int, folder: Path, tmp_path: Path
) -> None:
    """`| head` ends the program quietly, with the exit code it would have had."""
    (folder / "wrong.py").write_text("def softmax(x, axis=-1):\n    return x\n")
    done = shell(folder, tmp_path / "home", arguments, "2>errors | head -c 1")
    assert done.returncode == code
    assert len((folder / "errors").read_text().splitlines()) == (2 if code == 2 else 0)


def test_nobody_is_asked_who_does_not_read_the_question(folder: Path, tmp_path: Path) -> None:
    """A round whose reader has left takes no further reply."""
    done = shell(folder, tmp_path / "home", ["ask"], "< <(yes x) | true")
    assert done.returncode == 0
    with Store.open(tmp_path / "home") as store:
        assert len(store.reviews()) <= 1


# --- home and store ------------------------------------------------------------------------


def spoiled(home: Path, how: str) -> None:
    """A home in which nothing can be stored, for root as well."""
    if how == "no folder":
        home.write_text("a file in the place of the folder")
        return
    home.mkdir()
    if how == "broken":
        (home / FILE_NAME).write_bytes(b"SQLite format 3\x00" + bytes(5000))
    elif how == "no database":
        (home / FILE_NAME).write_text("my diary")
    else:
        (home / FILE_NAME).mkdir()


HOW = ["no folder", "broken", "no database", "a folder"]


@pytest.mark.parametrize("how", HOW)
def test_a_verdict_is_shown_though_it_cannot_be_stored(
    how: str, quizprep: Program, tmp_path: Path
) -> None:
    """The exit code is the verdict's; what could not be stored is said on standard error."""
    spoiled(tmp_path / "home", how)
    done = quizprep(*GRADE)
    assert done.returncode == 0
    assert done.stdout.startswith("softmax: passed\n")
    assert "--solution" not in done.stdout
    assert done.stderr.startswith("quizprep: This grading was not stored. ")
    assert len(done.stderr.splitlines()) == 2
    done = quizprep(*GRADE, "--json")
    assert json.loads(done.stdout)["passed"]
    assert "was not stored" in done.stderr


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("arguments", [[], ["ask"], ["mock"], ["progress"], ["list"], ["undo"]])
def test_a_store_that_cannot_be_used_is_one_clear_message(
    arguments: list[str], how: str, quizprep: Program, tmp_path: Path
) -> None:
    """Exit code 1, the file that is meant, and what to do about it."""
    spoiled(tmp_path / "home", how)
    done = quizprep(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"quizprep: {tmp_path / 'home'}")
    assert len(done.stderr.splitlines()) == 2


def test_rows_that_nobody_can_have_written_are_damage(quizprep: Program, tmp_path: Path) -> None:
    """A time that is no text, as a damaged file may hold, is said and not stumbled over."""
    with Store.open(tmp_path / "home") as store:
        store.bring_forward(["scaling"], "A reason.", datetime.now(UTC))
    sql = sqlite3.connect(tmp_path / "home" / FILE_NAME)
    sql.execute("update due_marks set at = x'00ff'")
    sql.commit()
    sql.close()
    done = quizprep()
    assert done.returncode == 1
    assert "is damaged" in done.stderr


def nobody(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run as a user without HOME whom the system does not list."""
    (folder / "sitecustomize.py").write_text(NO_PASSWD)
    env = environment(folder)
    env["PYTHONPATH"] = os.pathsep.join([str(folder), env["PYTHONPATH"]])
    for name in ("HOME", "QUIZPREP_HOME", "XDG_DATA_HOME"):
        env.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "quizprep", *arguments],
        cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [[], ["ask"], ["list"], ["hint", "softmax"], ["mock"]])
def test_without_a_home_it_is_said_what_to_set(arguments: list[str], folder: Path) -> None:
    """Nothing is written into a folder called ~."""
    done = nobody(folder, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "HOME is not set" in done.stderr
    assert "Set QUIZPREP_HOME" in done.stderr
    assert not (folder / "~").exists()


def test_without_a_home_one_can_grade_and_read(folder: Path) -> None:
    """What needs no store works: the verdict, a task, a sheet."""
    done = nobody(folder, *GRADE)
    assert done.returncode == 0
    assert done.stdout.startswith("softmax: passed\n")
    assert "was not stored" in done.stderr
    assert nobody(folder, "show", "softmax").returncode == 0
    sheet = nobody(folder, "sheet", "masking", "--format", "md", "-o", "-")
    assert (sheet.returncode, sheet.stderr) == (0, "")


# --- what grade writes ---------------------------------------------------------------------


@pytest.mark.parametrize("target", ["none/x.xml", "softmax.py/x.xml", "."])
def test_a_verdict_is_shown_though_its_xml_cannot_be_written(
    target: str, quizprep: Program, tmp_path: Path
) -> None:
    """It is stored and shown, as JSON too; exit code 1, for want of a file that was asked for."""
    done = quizprep(*GRADE, "--junit", target)
    assert done.returncode == 1
    assert done.stdout.startswith("softmax: passed\n")
    assert f"{target} cannot be written" in done.stderr
    done = quizprep(*GRADE, "--junit", target, "--json")
    assert json.loads(done.stdout)["passed"]
    assert f"{target} cannot be written" in done.stderr
    with Store.open(tmp_path / "home") as store:
        assert [attempt.passed for attempt in store.attempts()] == [True, True]


def test_no_record_stores_nothing(quizprep: Program, tmp_path: Path) -> None:
    """The verdict is the same, no home is made, and nothing is promised that was not stored."""
    done = quizprep(*GRADE, "--no-record")
    assert (done.returncode, done.stderr) == (0, "")
    assert "softmax: passed" in done.stdout
    assert "--solution" not in done.stdout
    assert not (tmp_path / "home").exists()


def test_after_a_pass_the_next_exercise_and_the_solution_are_named(quizprep: Program) -> None:
    """The commands that are named work, and the home screen names the same exercise."""
    shown = " ".join(quizprep(*GRADE, width=200).stdout.split())
    assert "quizprep show softmax --solution" in shown
    following = shown.partition("Next exercise: ")[2].split("quizprep start ")[1].split()[0]
    assert f"quizprep start {following}" in " ".join(quizprep(width=200).stdout.split())
    assert quizprep("show", "softmax", "--solution", "--diff", "softmax.py").returncode == 0
    asked = (
        shown.partition("An interviewer asks next: ")[2].split("(quizprep ask ")[1].split(")")[0]
    )
    assert quizprep("ask", asked, replies="q\n").returncode == 0


STEERING = "\x1b[2J\x9b2J\u202e\u2066\x07"
PRINTS = f"print({STEERING!r})\ndef softmax(x, axis=-1):\n    raise ValueError({STEERING!r})\n"


@pytest.mark.parametrize("name", ["plain.py", "\x1b[31m\u202e.py"])
def test_no_control_character_gets_out(name: str, quizprep: Program, folder: Path) -> None:
    """Neither what a submission prints or raises, nor a name, reaches the terminal, JSON or XML
    raw; JSON keeps it, escaped."""
    (folder / name).write_text(PRINTS, encoding="utf-8")
    shown = quizprep("grade", "softmax", name, "--junit", "x.xml")
    assert shown.returncode == 1
    found = quizprep("grade", "softmax", name, "--json")
    refused = quizprep("grade", "softmax", f"no {name}")
    xml = (folder / "x.xml").read_text(encoding="utf-8")
    assert (shown.stderr, refused.returncode) == ("", 2)
    for text in (shown.stdout, found.stdout, refused.stderr, xml):
        assert text.replace("\n", "").isprintable()
    assert STEERING in json.loads(found.stdout)["printed"]
    ElementTree.fromstring(xml)
