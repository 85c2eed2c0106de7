"""Real Dask processes on this machine: nothing is lost and nothing is doubled, whatever dies."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from quizprep.cohort import cluster
from quizprep.cohort.grading import Run, Settings, grade, plan, verdicts
from quizprep.cohort.results import Results
from quizprep.cohort.submissions import scan
from quizprep.content.library import Library
from quizprep.errors import QuizprepError
from tests.cohort import KILLER, RIGHT, WRONG, hand_in
from tests.imports import ROOT

pytest.importorskip("distributed")

LIBRARY = Library()
SUBMISSIONS = 8


class Cluster:
    """A scheduler and two workers of one thread each, without nannies: who is killed stays dead."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.readers: list[threading.Thread] = []
        self.env = {**os.environ, "PYTHONPATH": str(ROOT), "QUIZPREP_HOME": str(folder / "home")}
        self.scheduler = self.start("scheduler", "--host", "127.0.0.1", "--port", "0")
        self.address = self.said(self.scheduler, "Scheduler at:")
        self.workers = [self.worker() for _ in range(2)]
        for worker in self.workers:
            self.said(worker, "Registered to:")

    def worker(self) -> subprocess.Popen[str]:
        options = ("--nthreads", "1", "--no-nanny", "--memory-limit", "0")
        return self.start("worker", self.address, *options)

    def start(self, what: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments]
        return subprocess.Popen(
            [*command, "--no-dashboard"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self, process: subprocess.Popen[str], words: str) -> str:
        """The rest of the line in which a process says these words; what follows is read away, so
        that a full pipe stops nobody."""
        assert process.stderr is not None
        for line in process.stderr:
            if words in line:
                self.readers.append(threading.Thread(target=process.stderr.read))
                self.readers[-1].start()
                return line.partition(words)[2].strip()
        raise AssertionError(f"it ended without saying {words!r}")

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        for reader in self.readers:
            reader.join()
        for process in (*self.workers, self.scheduler):
            assert process.stderr is not None
            process.stderr.close()


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    made = Cluster(folder)
    try:
        yield made
    finally:
        made.close()


def course(folder: Path) -> Path:
    """Eight different submissions: right, wrong, and such that end their process."""
    kinds = (RIGHT, WRONG, KILLER.format(0), "import ctypes\nctypes.string_at(0)\n")
    for number in range(SUBMISSIONS):
        source = f"{kinds[number % len(kinds)]}# {number}\n"
        hand_in(folder / "course", **{f"s{number:02}": source})
    return folder / "course"


def rows(path: Path) -> int:
    with sqlite3.connect(path) as sql:
        return int(sql.execute("select count(*) from results").fetchone()[0])


def test_killed_workers_and_killers_lose_nothing(tmp_path: Path) -> None:
    """A worker dies in the middle and submissions kill their own processes: each submission has
    its verdict once, killers one that says what they did."""
    folder = course(tmp_path)
    with Results(tmp_path / "r.sqlite") as results, running(tmp_path) as cluster_here:
        planned = plan(scan(folder, LIBRARY.exercise_ids), folder, LIBRARY, results)
        assert len(planned.tasks) == SUBMISSIONS

        def kill_one(run: Run) -> None:
            assert rows(tmp_path / "r.sqlite") == run.done  # kept before it is counted
            if run.done == 2:
                cluster_here.workers[0].send_signal(signal.SIGKILL)

        settings = Settings(workers=1, scheduler=cluster_here.address)
        run = grade(planned, LIBRARY, results, settings, kill_one)
        assert (run.done, run.faults) == (SUBMISSIONS, [])
        assert cluster_here.workers[0].wait() == -signal.SIGKILL
        assert cluster_here.workers[1].poll() is None
        found = verdicts(planned, results)
        passed = [place for place, verdict in found.items() if verdict and verdict.passed]
        assert passed == [(f"s{number:02}", "softmax") for number in range(0, SUBMISSIONS, 4)]
        messages = json.dumps([v.json().decode() for v in found.values() if v is not None])
        assert messages.count("ended its own process") >= SUBMISSIONS // 4
        assert messages.count("SIGSEGV") >= SUBMISSIONS // 4
        assert rows(tmp_path / "r.sqlite") == SUBMISSIONS


def test_a_lost_scheduler_leaves_a_file_that_goes_on(tmp_path: Path) -> None:
    """The run ends with a message, and goes on here with what is left, without a cluster."""
    folder = course(tmp_path)
    with Results(tmp_path / "r.sqlite") as results, running(tmp_path) as cluster_here:
        scanned = scan(folder, LIBRARY.exercise_ids)
        planned = plan(scanned, folder, LIBRARY, results)

        def kill(run: Run) -> None:
            if run.done == 1:
                cluster_here.scheduler.send_signal(signal.SIGKILL)

        settings = Settings(workers=1, scheduler=cluster_here.address)
        with pytest.raises(QuizprepError, match="is gone"):
            grade(planned, LIBRARY, results, settings, kill)
        done = rows(tmp_path / "r.sqlite")
        assert 1 <= done < SUBMISSIONS
        left = plan(scanned, folder, LIBRARY, results)
        assert len(left.tasks) == SUBMISSIONS - done
        run = grade(left, LIBRARY, results, Settings(workers=2), lambda _: None)
        assert run.done == SUBMISSIONS - done
        assert rows(tmp_path / "r.sqlite") == SUBMISSIONS


def test_a_worker_with_other_files_refuses() -> None:
    """A worker grades only by the files and the version that the results are keyed by."""
    key = ("0" * 64, "softmax", "0" * 64, "0.0.0")
    with pytest.raises(cluster.OtherProgram, match="other files of softmax"):
        cluster.grade_here(key, b"", None, False)


def test_a_scheduler_without_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told that none came, instead of waiting for ever."""
    from distributed import LocalCluster

    monkeypatch.setattr(cluster, "WORKER_SECONDS", "100ms")
    folder = course(tmp_path)
    with (
        LocalCluster(
            n_workers=0, host="127.0.0.1", protocol="tcp", processes=False, dashboard_address=None
        ) as empty,
        Results(tmp_path / "r.sqlite") as results,
    ):
        planned = plan(scan(folder, LIBRARY.exercise_ids), folder, LIBRARY, results)
        settings = Settings(workers=1, scheduler=empty.scheduler_address)
        with pytest.raises(QuizprepError, match="has no workers"):
            grade(planned, LIBRARY, results, settings, lambda _: None)


def test_an_address_without_a_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told what is missing, and nothing is graded."""
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", "100ms")
    folder = course(tmp_path)
    with Results(tmp_path / "r.sqlite") as results:
        planned = plan(scan(folder, LIBRARY.exercise_ids), folder, LIBRARY, results)
        settings = Settings(workers=1, scheduler="tcp://127.0.0.1:9")
        with pytest.raises(QuizprepError, match="no Dask scheduler at"):
            grade(planned, LIBRARY, results, settings, lambda _: None)
