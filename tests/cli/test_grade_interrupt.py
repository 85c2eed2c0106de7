"""Leaving a grading in the middle leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ENDLESS = "def softmax(x, axis=-1):\n    print('here', flush=True)\n    while True:\n        pass\n"


def children(pid: int) -> list[int]:
    """All descendants of a process, by the kernel's own list."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children(child)]
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_ends_every_process(tmp_path: Path) -> None:
    """Interrupted while a submission loops for ever, the program and its children all end."""
    submission = tmp_path / "softmax.py"
    submission.write_text(ENDLESS)
    process = subprocess.Popen(
        [sys.executable, "-m", "quizprep", "grade", "softmax", str(submission)],
        env={**os.environ, "QUIZPREP_HOME": str(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    family: list[int] = []
    while len(family) < 3:  # nursery, learner and judge
        assert process.poll() is None, process.communicate()
        family = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Traceback" not in errors
    # Gone, or reaped by whoever adopted them: none still runs.
    for pid in family:
        for _ in range(1000):
            if not _runs(pid):
                break
            os.sched_yield()
        assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")
