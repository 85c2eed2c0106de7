"""`quizprep grade --watch`: from save to save, whatever way the file is saved."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quizprep.content.library import Library, shipped_root
from tests.cli.program import COMMAND, environment

RIGHT = Library(shipped_root()).exercise("softmax").solution.read_text()
WRONG = "def softmax(x, axis=-1):\n    return x\n"
OVERFLOWS = RIGHT.replace("x - top", "x")


class Watcher:
    """The program watching softmax.py in a folder, through a pipe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def run(self) -> str:
        """What is printed up to the end of the next run."""
        assert self.process.stdout is not None
        seen = b""
        while not seen.endswith(b"Ctrl-C ends it.\n"):
            piece = os.read(self.process.stdout.fileno(), 65536)
            assert piece, seen.decode()
            seen += piece
        return seen.decode()


@contextmanager
def watching(folder: Path, home: Path, *arguments: str) -> Iterator[Watcher]:
    """A watcher that is ended by Ctrl-C."""
    with subprocess.Popen(
        [*COMMAND, "grade", "softmax", "--watch", *arguments],
        cwd=folder,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield Watcher(process)
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
        finally:
            process.kill()


def seeds(text: str) -> list[str]:
    return re.findall(r"^Seed (\d+);", text, re.MULTILINE)


def test_runs_are_told_apart_and_compared(folder: Path, tmp_path: Path) -> None:
    """A line with the time begins each; while one fails its cases stay, and a pass is on others."""
    file = folder / "softmax.py"
    file.write_text(WRONG)
    with watching(folder, tmp_path / "home") as watcher:
        first = watcher.run()
        assert re.search(r"^── \d\d:\d\d:\d\d ─+$", first, re.MULTILINE)
        assert "->" not in first
        file.write_text(OVERFLOWS)
        second = watcher.run()
        assert re.search(r"^── \d\d:\d\d:\d\d ─+$", second, re.MULTILINE)
        before, after = map(int, re.findall(r"^(\d+) -> (\d+) cases fail$", second, re.M)[0])
        assert before > after > 0
        assert seeds(first) == seeds(second)
        file.write_text(RIGHT)
        third = watcher.run()
        assert f"{after} -> 0 cases fail" in third
        assert seeds(third) != seeds(second)
    assert watcher.process.returncode == 0


def test_a_link_that_is_replaced_is_seen(folder: Path, tmp_path: Path) -> None:
    """The path may lead elsewhere than at first: what is saved there is graded."""
    for name, text in (("old", WRONG), ("new", WRONG)):
        (folder / name).mkdir()
        (folder / name / "answer.py").write_text(text)
    link = folder / "softmax.py"
    link.symlink_to("old/answer.py")
    with watching(folder, tmp_path / "home") as watcher:
        watcher.run()
        (folder / "other").symlink_to("new/answer.py")
        (folder / "other").replace(link)
        assert "not passed" in watcher.run()
        (folder / "new" / "answer.py").write_text(RIGHT)
        assert "softmax: passed" in watcher.run()
        link.unlink()
        assert "There is no file softmax.py now" in watcher.run()
        link.write_text(WRONG)
        assert "not passed" in watcher.run()
    assert watcher.process.returncode == 1


def test_a_watcher_that_nobody_reads_ends(folder: Path, tmp_path: Path) -> None:
    """`--watch | head` does not run for ever."""
    (folder / "softmax.py").write_text(RIGHT)
    with watching(folder, tmp_path / "home") as watcher:
        assert watcher.process.stdout is not None
        watcher.process.stdout.close()
        assert watcher.process.wait(timeout=60) == 0
