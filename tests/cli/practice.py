"""A learner with a history, and the screens that they see at a fixed time."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from quizprep.quiz.scheduling import reschedule
from quizprep.store import Answer, Store
from tests.cli import program
from tests.imports import ROOT

FOLDER = ROOT / "tests" / "golden" / "practice"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WIDTHS = (60, 80)

SCREENS: dict[str, tuple[str, list[str], str]] = {
    "today_new": ("new", [], ""),
    "today": ("learner", [], ""),
    "progress": ("learner", ["progress"], ""),
    "progress_date": ("learner", ["progress", "--date", "2026-12-06"], ""),
    "progress_plain": ("learner", ["progress", "--plain"], ""),
    "progress_json": ("learner", ["progress", "--json"], ""),
    "progress_new": ("new", ["progress"], ""),
    "ask_date": (
        "learner",
        ["ask", "--seed", "3", "--date", "2026-11-27"],
        "x\nu\nx\nzero\ns\nu\nminus infinity\nq\n",
    ),
    "ask_date_none": ("new", ["ask", "--seed", "3", "--date", "none", "-n", "1"], "q\n"),
    "new_question": ("new", ["new", "question", "demo", "--kind", "number"], ""),
    "new_exercise": ("new", ["new", "exercise", "my-task"], ""),
    "mock": (
        "new",
        ["mock", "--seed", "1", "--minutes", "40", "--bank", "interview"],
        "It keeps keys and values.\nThe variance grows.\nzero?\n1\nb\n\n",
    ),
    "mock_left": ("new", ["mock", "--seed", "1", "--bank", "interview"], "s\nq\n"),
    "undo": ("learner", ["undo"], ""),
    "undo_new": ("new", ["undo"], ""),
}  # fmt: skip
"""Name: whose home, the arguments, what is typed."""

_COSTS = [
    {"meter": "flops", "status": "pass", "formula": "4*n*n*d"},
    {"meter": "peak_bytes", "status": "pass", "formula": "8*n*n"},
    {"meter": "calls", "status": "pass"},
]


def content(folder: Path) -> Path:
    """A root with the bank of the ask tests and two exercises that cannot be graded."""
    root = folder / "content"
    shutil.copytree(program.BANK, root / "questions")
    shutil.copytree(FOLDER / "exercises", root / "exercises")
    shutil.copytree(FOLDER / "interview", folder / "interview")
    shutil.copytree(FOLDER / "exercises", folder / "interview" / "exercises")
    for name in ("sources.yaml", "concepts.yaml"):
        shutil.copy(root / "questions" / name, folder / "interview" / "questions")
    return root


def live(home: Path, whose: str) -> None:
    """Fill a home: nothing for ``new``, three weeks of practice for ``learner``."""
    with Store.open(home) as store:
        if whose == "new":
            return
        _answers(store)
        _gradings(store)


def _answers(store: Store) -> None:
    for days, question, score, rating in [
        (20, "scale-variance", 0.0, 1), (19, "scale-variance", 1.0, 3),
        (12, "scale-variance", 1.0, 3), (9, "cached-tensors", 0.5, 2),
        (3, "token-bytes", 0.0, 1), (2, "token-bytes", 1.0, 2), (2, "mask-value", 1.0, 3),
        (1, "why-scale", 0.33, 1), (0, "softmax-steps", 1.0, 4),
    ]:  # fmt: skip
        at = NOW - timedelta(days=days, hours=1)
        store.record_review(
            Answer(question, at, 1, "a reply", score, rating, 0, None, "s"), reschedule
        )


def _gradings(store: Store) -> None:
    for days, exercise, passed, verdict in [
        (8, "attention", False, {"stages": []}),
        (7, "attention", True, {"stages": [{"name": "cost", "readings": _COSTS}]}),
        (5, "causal_mask", False, {"gave_up": True, "stages": []}),
        (1, "causal_mask", False, {"stages": [{"name": "load", "status": "fail"}]}),
    ]:  # fmt: skip
        at = NOW - timedelta(days=days)
        store.record_attempt(exercise, passed, [], json.dumps(verdict), at)
    store.bring_forward(["causal-mask"], "Your causal_mask had the mistake strict_mask.", NOW)


def run(
    folder: Path, *arguments: str, width: int = 60, replies: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the program at NOW, with the home and the content in a folder."""
    command = [sys.executable, "-m", "tests.cli.frozen", NOW.isoformat(), str(folder / "content")]
    settings = {"PYTHONUTF8": "1", **settings}
    return program.run(
        folder, *arguments, command=command, width=width, replies=replies, **settings
    )


def screen(name: str, width: int, folder: Path) -> str:
    """What a screen shows; what goes to standard error comes last, then the exit code."""
    whose, arguments, replies = SCREENS[name]
    content(folder)
    live(folder / "home", whose)
    done = run(folder, *arguments, width=width, replies=replies)
    return f"{done.stdout}{done.stderr}[exit code {done.returncode}]\n"


def screen_file(name: str, width: int) -> Path:
    """The golden file of a screen."""
    return FOLDER / f"{name}.{width}.txt"
