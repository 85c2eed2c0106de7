"""Nothing acknowledged is lost, whatever kills the program or damages its file.

QUIZPREP_KILLS says how many processes are killed (24), QUIZPREP_DAMAGE how many files are damaged
(100); `make durable` kills 1,000 and damages 500.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from quizprep.cli import program
from quizprep.content.library import Library, shipped_root
from quizprep.errors import StoreError
from quizprep.store import FILE_NAME, Store
from tests.cli.practice import live
from tests.cli.program import COMMAND, environment

KILLS = int(os.environ.get("QUIZPREP_KILLS", "24"))
DAMAGE = int(os.environ.get("QUIZPREP_DAMAGE", "100"))

Counts = tuple[int, int, int, int]
"""Rows of reviews, voids, attempts, and steps of interviews."""

_COMMANDS: dict[str, tuple[list[str], str, float, Callable[[str], Counts]]] = {
    "ask": (
        ["ask", "--all", "-n", "300"],
        "x\nx\nu\nx\n" * 400,
        1.2,
        lambda said: (said.count("; due again"), said.count("Taken back"), 0, 0),
    ),
    "undo": (["undo"], "", 0.6, lambda said: (0, said.count("Taken back: "), 0, 0)),
    "mock": (
        ["mock", "--minutes", "60"],
        "a\n1\nIt is quadratic.\nab\n" * 60,
        1.2,
        lambda said: (0, 0, 0, max(0, said.count(", minute ") - 1)),
    ),
    "grade": (
        ["grade", "attention_numpy", "attention_numpy.py"],
        "",
        4.0,
        lambda said: (0, 0, int("PASS" in said or "FAIL" in said), 0),
    ),
}
"""Name: the arguments, what is typed, within how many seconds it is killed, what it says that it
stored."""


def _rows(home: Path) -> list[list[tuple[object, ...]]]:
    """The tables of the log; the file is sound."""
    with Store.open(home):
        pass  # what was half written is rolled back
    sql = sqlite3.connect(home / FILE_NAME)
    try:
        assert sql.execute("pragma integrity_check").fetchall() == [("ok",)]
        names = ("reviews", "voids", "attempts", "mock_steps")
        return [sql.execute(f"select * from {name} order by id").fetchall() for name in names]
    finally:
        sql.close()


def _killed(folder: Path, home: Path, name: str, delay: float) -> Counts:
    """Run a command, kill it after a while, and count what it had acknowledged."""
    arguments, typed, _, acknowledged = _COMMANDS[name]
    running = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder, env=environment(home), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    timer = threading.Timer(delay, running.kill)
    timer.start()
    said, _ = running.communicate(typed)
    timer.cancel()
    return acknowledged(said)


def test_whatever_is_killed_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """SIGKILL at a random moment: every row of before is there, and what the program said that it
    stored; the next command opens the file."""
    exercise = Library(shipped_root()).exercise("attention_numpy")
    (tmp_path / "attention_numpy.py").write_text(exercise.solution.read_text())
    home = tmp_path / "home"
    before: list[list[tuple[object, ...]]] = [[], [], [], []]
    dice = random.Random(19)
    acknowledged = killed = 0
    for _ in range(KILLS):
        name = dice.choices(list(_COMMANDS), [6, 2, 2, 1])[0]
        said = _killed(tmp_path, home, name, dice.uniform(0.15, _COMMANDS[name][2]))
        after = _rows(home)
        for old, new, count in zip(before, after, said, strict=True):
            assert new[: len(old)] == old, f"{name} lost rows"
            assert len(new) >= len(old) + count, f"{name} lost what it acknowledged"
        before, acknowledged, killed = after, acknowledged + sum(said), killed + 1
    print(f"{killed} killed; {acknowledged} acknowledged, all kept")
    assert acknowledged


def _damaged(data: bytes, dice: random.Random) -> bytes:
    """Bytes changed, a page lost, or the end cut off."""
    spoiled = bytearray(data)
    for _ in range(dice.choice([1, 5, 50])):
        spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
    at = dice.randrange(len(spoiled))
    hole = spoiled[at : at + dice.choice([0, 0, 4096])]
    spoiled[at : at + len(hole)] = bytes(len(hole))
    return bytes(spoiled[: dice.choice([at, len(spoiled), len(spoiled)])])


def _refusal(home: Path) -> StoreError | None:
    try:
        Store.open(home).close()
    except StoreError as error:
        return error
    return None


def test_a_file_damaged_at_random_is_read_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every screen is shown, or an error says what to do; a refused file stays as it was."""
    home = tmp_path / "home"
    live(home, "learner")
    whole = (home / FILE_NAME).read_bytes()
    monkeypatch.setenv("QUIZPREP_HOME", str(home))
    refused = shown = 0
    for seed in range(DAMAGE):
        dice = random.Random(seed)
        spoiled = _damaged(whole, dice)
        (home / FILE_NAME).write_bytes(spoiled)
        if _refusal(home) is not None:
            assert (home / FILE_NAME).read_bytes() == spoiled
            refused += 1
        for arguments in ([], ["progress"], ["export"], ["list"], ["ask", "-n", "1"], ["undo"]):
            done = CliRunner().invoke(program, arguments, input="x\n")
            if isinstance(done.exception, StoreError):
                assert done.exception.hint
                assert (home / FILE_NAME).exists()
            elif done.exception is not None and not isinstance(done.exception, SystemExit):
                raise AssertionError(f"seed {seed}, {arguments}") from done.exception
            else:
                shown += 1
    assert refused and shown
