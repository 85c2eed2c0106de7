"""`quizprep ask` on the tests' bank, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.imports import ROOT

BANK = ROOT / "tests" / "golden" / "ask" / "bank"
COMMAND = [sys.executable, "-m", "quizprep", "ask", "--bank", str(BANK), "--seed", "3"]


def run_ask(
    args: list[str], replies: str, home: Path, width: int = 60
) -> subprocess.CompletedProcess[str]:
    """``quizprep ask`` on the tests' bank, with a fixed seed, through a pipe."""
    return subprocess.run(
        [*COMMAND, *args], input=replies, capture_output=True, text=True, env=env(home, width),
        timeout=120,
    )  # fmt: skip


def env(home: Path, width: int = 60) -> dict[str, str]:
    """The environment of a run that keeps to itself."""
    return {
        **os.environ,
        "QUIZPREP_HOME": str(home),
        "COLUMNS": str(width),
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
    }
