"""Golden rounds of `quizprep ask`: arguments and replies, and the transcript they must give.

Run ``python -m tests.cli.ask_cases`` after an intended change, and read the difference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.imports import ROOT

FOLDER = ROOT / "tests" / "golden" / "ask"
BANK = FOLDER / "bank"


@dataclass(frozen=True)
class Case:
    """A round; the first line of its replies file holds further arguments after ``#``."""

    name: str

    @property
    def replies_file(self) -> Path:
        return FOLDER / f"{self.name}.replies"

    @property
    def transcript_file(self) -> Path:
        return FOLDER / f"{self.name}.txt"

    def run(self, home: Path, width: int = 60) -> subprocess.CompletedProcess[str]:
        """Run the real command through a pipe."""
        first, _, replies = self.replies_file.read_text(encoding="utf-8").partition("\n")
        return run_ask(first.removeprefix("#").split(), replies, home, width)


def run_ask(
    args: list[str], replies: str, home: Path, width: int = 60
) -> subprocess.CompletedProcess[str]:
    """``quizprep ask`` on the tests' bank, with a fixed seed, through a pipe."""
    return subprocess.run(
        [*COMMAND, *args], input=replies, capture_output=True, text=True, env=env(home, width),
        timeout=120,
    )  # fmt: skip


COMMAND = [sys.executable, "-m", "quizprep", "ask", "--bank", str(BANK), "--seed", "3"]


def env(home: Path, width: int = 60) -> dict[str, str]:
    """The environment of a run that keeps to itself."""
    return {
        **os.environ,
        "QUIZPREP_HOME": str(home),
        "COLUMNS": str(width),
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
    }


def cases() -> list[Case]:
    """Every golden round."""
    return [Case(path.stem) for path in sorted(FOLDER.glob("*.replies"))]


def _rewrite() -> None:
    for case in cases():
        with TemporaryDirectory() as home:
            done = case.run(Path(home))
        assert done.returncode == 0, done.stderr
        case.transcript_file.write_text(done.stdout, encoding="utf-8")


if __name__ == "__main__":
    _rewrite()
