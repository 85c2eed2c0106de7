"""The commands around an exercise, run as a user runs them."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.library import Exercise, Library, path_order, shipped_root
from quizprep.store import Store
from tests.cli.program import COMMAND, Program, environment

LIBRARY = Library(shipped_root())


# --- list --------------------------------------------------------------------------------------


def test_list_names_everything_in_narrow_lines(quizprep) -> None:
    """Every topic and exercise is listed, prerequisites first, within 60 columns."""
    result = quizprep("list")
    assert result.returncode == 0
    # A title may hold a word that is an id as well, so only what begins a line counts.
    words = [line.split()[0] for line in result.stdout.splitlines() if line.strip()]
    assert set(LIBRARY.topics) <= set(words)
    for exercise in LIBRARY.exercises:
        for before in exercise.spec.after:
            assert words.index(before) < words.index(exercise.id)
    assert max(map(len, result.stdout.splitlines())) <= 60
    assert "\x1b" not in result.stdout


@given(order=st.permutations(LIBRARY.exercises))
def test_path_keeps_prerequisites_whatever_the_order(order: list[Exercise]) -> None:
    """The path holds every exercise once, after those it builds on, however they were listed."""
    path = path_order(order)
    assert path == path_order(LIBRARY.exercises)
    assert sorted(e.id for e in path) == sorted(LIBRARY.exercise_ids)
    seen: set[str] = set()
    for exercise in path:
        assert set(exercise.spec.after) <= seen
        seen.add(exercise.id)


# --- show --------------------------------------------------------------------------------------


def test_show_gives_the_task_as_it_is_in_a_pipe(quizprep) -> None:
    """In a pipe the README comes out unchanged; hyphens and capitals in the id do not matter."""
    text = LIBRARY.exercise("causal_mask").text("README.md")
    for spelling in ("causal_mask", "causal-mask", "Causal_Mask"):
        result = quizprep("show", spelling)
        assert (result.returncode, result.stdout) == (0, text)


def on_terminal(home: Path, *arguments: str) -> str:
    """What a command shows on a terminal of sixty columns."""
    main, side = pty.openpty()
    child = subprocess.Popen([*COMMAND, *arguments], stdout=side, env=environment(home))
    os.close(side)
    output = bytearray()
    try:
        while chunk := os.read(main, 65536):
            output += chunk
    except OSError:
        pass  # the end of a terminal on Linux
    os.close(main)
    assert child.wait() == 0
    return output.decode()


def test_show_sets_the_task_on_a_terminal(tmp_path: Path) -> None:
    """On a terminal the Markdown is set: no raw heading or table rule is left."""
    shown = on_terminal(tmp_path, "show", "softmax")
    assert "A stable softmax" in shown
    assert "# A stable softmax" not in shown


@pytest.mark.parametrize("name", ["softmax", "triton_flash_backward"])
def test_no_line_of_a_solution_is_cut_on_a_terminal(name: str, tmp_path: Path) -> None:
    """However narrow the terminal is: without its colours the code is the file, line by line."""
    shown = on_terminal(tmp_path, "show", name, "--give-up")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n")
    solution = LIBRARY.exercise(name).solution.read_text()
    assert [line.rstrip() for line in plain.rstrip().split("\n")] == solution.rstrip().split("\n")


def test_solution_has_to_be_earned(quizprep) -> None:
    """Before the exercise is passed its solution is refused, and nothing of it is printed."""
    result = quizprep("show", "softmax", "--solution")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "once you have passed" in result.stderr
    assert "--give-up" in result.stderr


def test_giving_up_shows_the_solution_from_then_on(quizprep) -> None:
    """--give-up prints the solution and is remembered; the exercise does not count as passed."""
    solution = LIBRARY.exercise("softmax").solution.read_text()
    assert quizprep("show", "softmax", "--give-up").stdout == solution
    assert quizprep("show", "softmax", "--solution").stdout == solution
    assert quizprep("show", "causal_mask", "--solution").returncode == 1
    line = next(x for x in quizprep("list").stdout.splitlines() if x.split()[:1] == ["softmax"])
    assert "passed" not in line


def test_passing_opens_the_solution(quizprep, tmp_path: Path) -> None:
    """Once an attempt has passed, the list says so and the solution is shown, for good."""
    with Store.open(tmp_path / "home") as store:
        for passed in (True, False):
            store.record_attempt("softmax", passed, (), "{}", datetime.now(UTC))
    solution = LIBRARY.exercise("softmax").solution.read_text()
    assert quizprep("show", "softmax", "--solution").stdout == solution
    lines = [line.split() for line in quizprep("list").stdout.splitlines()]
    assert [words[0] for words in lines if "passed" in words] == ["softmax"]


@pytest.mark.parametrize("command", ["show", "start", "hint"])
def test_unknown_exercise_lists_what_there_is(quizprep, command: str) -> None:
    """An unknown exercise is a usage error that names the exercises."""
    result = quizprep(command, "sofmax")
    assert result.returncode == 2
    assert "sofmax" in result.stderr
    assert "Did you mean softmax" in result.stderr
    assert all(name in result.stderr for name in LIBRARY.exercise_ids)
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["shwo"], "show"),
        (["ask", "KV-cach"], "kv-cache"),
        (["grade", "causal-maks"], "causal_mask"),
    ],
)
def test_what_was_meant_is_named(quizprep, arguments: list[str], meant: str) -> None:
    """The nearest command, topic or exercise, besides the list; exit code 2."""
    result = quizprep(*arguments)
    assert result.returncode == 2
    assert f"Did you mean {meant}" in result.stderr
    assert "There are: " in result.stderr
    assert "Did you mean" not in quizprep(arguments[0] * 3, *arguments[1:]).stderr


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("quizprep gra", {"grade"}),
        ("quizprep grade causal", {"causal_mask"}),
        ("quizprep show Int8-", {"int8_kv_cache"}),
        ("quizprep ask masking kv", {"kv-cache"}),
        ("quizprep sheet kv", {"kv-cache"}),
        ("quizprep hint zebra", set()),
    ],
)
def test_the_shell_completes_commands_exercises_and_topics(
    words: str, completed: set[str], quizprep
) -> None:
    """As the line in --help switches it on; hyphens and capitals do not matter."""
    assert '"$(_QUIZPREP_COMPLETE=bash_source quizprep)"' in quizprep("--help").stdout
    place = str(len(words.split()) - 1)
    settings = {"COMP_WORDS": words, "COMP_CWORD": place, "_QUIZPREP_COMPLETE": "bash_complete"}
    command = [str(Path(sys.executable).with_name("quizprep"))]
    shown = quizprep(command=command, **settings).stdout
    assert {line.removeprefix("plain,") for line in shown.split()} == completed


# --- start -------------------------------------------------------------------------------------


def test_start_copies_the_starter_and_says_what_next(quizprep, folder: Path) -> None:
    """The starter lands under the exercise's name, and the next commands are named."""
    result = quizprep("start", "causal-mask")
    assert result.returncode == 0
    starter = LIBRARY.exercise("causal_mask").text("starter.py")
    assert (folder / "causal_mask.py").read_text() == starter
    assert "quizprep grade causal_mask" in result.stdout
    assert "quizprep show causal_mask" in result.stdout


def test_start_never_touches_a_file_that_exists(quizprep, folder: Path) -> None:
    """A file or a link that exists, even one to nowhere, is left as it is; exit code 2."""
    (folder / "softmax.py").write_text("my work")
    (folder / "link.py").symlink_to(folder / "nowhere.py")
    for arguments in (["softmax"], ["softmax", "link.py"]):
        result = quizprep("start", *arguments)
        assert result.returncode == 2
        assert "exists" in result.stderr
    assert (folder / "softmax.py").read_text() == "my work"
    assert not (folder / "nowhere.py").exists()


def test_start_writes_where_it_is_told(quizprep, folder: Path) -> None:
    """FILE may be a file or a folder that exists; a folder is never created."""
    (folder / "day one").mkdir()
    assert quizprep("start", "softmax", "mine.py").returncode == 0
    result = quizprep("start", "softmax", "day one")
    assert "'day one/softmax.py'" in result.stdout
    assert (folder / "mine.py").read_text() == (folder / "day one/softmax.py").read_text()
    result = quizprep("start", "softmax", "absent/mine.py")
    assert result.returncode == 2
    assert "no folder absent" in result.stderr
    assert not (folder / "absent").exists()


# --- hint --------------------------------------------------------------------------------------


def test_hints_come_one_by_one_and_end(quizprep) -> None:
    """Each call gives the next hint and no later one; when they are used up it says so."""
    hints = LIBRARY.exercise("softmax").spec.hints
    opening = [" ".join(text.split()[:4]) for text in hints]
    for place in range(len(hints)):
        shown = " ".join(quizprep("hint", "softmax").stdout.split())
        assert f"Hint {place + 1} of {len(hints)}" in shown
        assert [text in shown for text in opening] == [n == place for n in range(len(hints))]
    result = quizprep("hint", "softmax")
    shown = " ".join(result.stdout.split())
    assert result.returncode == 0
    assert "no more hints" in shown
    assert all(text in shown for text in opening)
    assert "Hint 1" in quizprep("hint", "causal_mask").stdout


def test_the_change_that_mends_is_shown_on_request_only(quizprep, folder: Path) -> None:
    """A grading names the line and how to see the change; asking shows it and counts no hint."""
    assert "found no line" in quizprep("hint", "softmax", "--line").stdout
    right = LIBRARY.exercise("softmax").solution.read_text("utf-8")
    assert "x - top" in right
    (folder / "softmax.py").write_text(right.replace("x - top", "x + top"))
    graded = " ".join(quizprep("grade", "softmax").stdout.split())
    assert "one small change there makes all" in graded
    assert "quizprep hint softmax --line" in graded
    assert "x - top" not in graded
    assert "x + top -> x - top" in quizprep("hint", "softmax", "--line").stdout
    assert "Hint 1" in quizprep("hint", "softmax").stdout


def test_what_is_searched_is_found_by_the_beginnings_of_words(quizprep: Program) -> None:
    """Concepts, exercises and questions, each with its command; "ring" does not find "storing"."""
    done = quizprep("search", "Ring", "attent")
    assert done.returncode == 0, done.stderr
    assert "quizprep show ring_attention" in done.stdout
    found = json.loads(quizprep("search", "ring", "--json").stdout)
    assert "kv-quantization" not in [each["concept"] for each in found["concepts"]]
    assert {"concepts", "exercises", "questions"} <= found.keys()
    assert quizprep("search", "xyzzy").stdout.startswith("Nothing found.")


def test_every_concept_is_listed(quizprep: Program) -> None:
    done = quizprep("list", "--concepts")
    assert all(id in done.stdout for id in Library(shipped_root()).concepts)


def test_a_solution_is_compared_with_ones_own(quizprep: Program, folder: Path) -> None:
    """Once it is earned; the lines that differ, and only they."""
    solution = Library(shipped_root()).exercise("softmax").solution.read_text()
    (folder / "own.py").write_text(f"{solution}extra = 1\n")
    refused = quizprep("show", "softmax", "--diff", "own.py")
    assert refused.returncode == 1 and "extra" not in refused.stdout
    done = quizprep("show", "softmax", "--diff", "own.py", "--give-up")
    changed = [
        line for line in done.stdout.splitlines() if line[:1] in "+-" and line[1:2] != line[:1]
    ]
    assert changed == ["-extra = 1"]
