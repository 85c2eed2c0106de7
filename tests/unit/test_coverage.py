"""The measure of what tests execute: no process escapes it, and an excuse has to be one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import coverage

PROGRAM = """\
import os
import signal
import threading


def child():
    os.nice(0)
    os._exit(0)


def killed():
    os.nice(0)
    os.kill(os.getpid(), signal.SIGKILL)
    os.nice(0)


def in_thread():
    os.nice(0)


def never():
    os.nice(0)


for work in (child, killed):
    if os.fork() == 0:
        work()
    os.wait()
thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
"""


def numbered(source: str, *texts: str) -> set[int]:
    """The numbers of the lines that begin with one of these texts."""
    lines = enumerate(source.splitlines(), start=1)
    return {number for number, line in lines if line.strip().startswith(texts)}


@pytest.fixture
def program(tmp_path: Path) -> coverage.Measured:
    """What a run of PROGRAM executed of it."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    coverage.prepare(tmp_path, [file])
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = coverage.environment(tmp_path, {"PYTHONPATH": path})
    subprocess.run([sys.executable, "-m", "program"], env=environment, check=True)
    return coverage.results(tmp_path)[0]


def test_forks_threads_and_the_killed_are_seen(program: coverage.Measured) -> None:
    """What a child did before it left without clean-up or was killed is marked; what came after
    that, or was never called, is not."""
    body = PROGRAM.splitlines()
    wanted = {
        number
        for number in numbered(PROGRAM, "os.nice(0)")
        if body[number - 2].lstrip().startswith(("os.kill", "def never"))
    }
    assert len(wanted) == 2
    assert program.missed == wanted
    assert program.seen | wanted == program.lines


SOURCE = """\
import os

if os.environ:
    x = 1
else:  # only with an if
    x = 2


def one(  # unseen: nobody calls it
    a, b
):
    return a


def other(
    a, b
):
    try:
        y = (a +
             b)
    except TypeError:  # unseen: nobody adds text
        y = 0
    match y:
        case 1:  # unseen: it is never 1
            y = 2
        case _:
            pass
    return y  # unseen: this is stale
"""


def test_an_excuse_covers_its_block_and_no_more(tmp_path: Path) -> None:
    """The rest of the block it opens, whatever lines that takes; not the else beside it, and not
    what was executed."""
    file = tmp_path / "source.py"
    file.write_text(SOURCE)
    skipped = numbered(SOURCE, "x = 2", "return a", "except", "y = 0", "y = 2")
    marks = bytes(number not in skipped for number in range(len(SOURCE.splitlines()) + 1))
    found = coverage.measure(file, marks)
    assert found.missed == numbered(SOURCE, "x = 2")
    assert found.excused == skipped - found.missed
    assert set(found.stale) == numbered(SOURCE, "return y")


@pytest.mark.parametrize(
    "source", ["x = 1  # unseen:\n", "# unseen: it stands on no statement\nx = 1\n"]
)
def test_an_excuse_needs_a_reason_and_a_statement(source: str) -> None:
    """Otherwise the tool stops with its line."""
    with pytest.raises(ValueError, match="line 1: an excuse needs a reason"):
        list(coverage.excuses(source))


def test_lines_are_told_as_ranges() -> None:
    """Neighbours together, in order."""
    assert coverage.ranges({9, 3, 5, 4}) == "3-5, 9"
