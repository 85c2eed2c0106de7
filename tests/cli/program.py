"""The real program in a process of its own, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.imports import ROOT

COMMAND = [sys.executable, "-m", "quizprep"]
BANK = ROOT / "tests" / "golden" / "ask" / "bank"
"""Eight questions, with the concepts and sources that they name."""

Program = Callable[..., subprocess.CompletedProcess[str]]


def environment(home: Path, width: int = 60, **settings: str) -> dict[str, str]:
    """The variables of a run with a home of its own, in UTC and without an editor."""
    path = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    return {
        **os.environ,
        "QUIZPREP_HOME": str(home),
        "COLUMNS": str(width),
        "PYTHONPATH": os.pathsep.join(path),
        "TERM": "xterm",
        "TZ": "UTC",
        "EDITOR": "",
        "VISUAL": "",
        **settings,
    }


def run(
    folder: Path,
    *arguments: str,
    home: Path | None = None,
    command: Sequence[str] = COMMAND,
    width: int = 60,
    replies: str = "",
    **settings: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder through pipes; it never shows a traceback.

    home      where the learner's data is; ``home`` in the folder if not given
    settings  further environment variables
    """
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=environment(home or folder / "home", width, **settings),
        input=replies,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done
