"""Gradings in the background: a page asks how far one is, and shows its verdict when it ends."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from quizprep.content.library import Exercise, Library
from quizprep.errors import StoreError
from quizprep.files import replace_file
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.loop import store_attempt
from quizprep.grading.pool import Pool
from quizprep.grading.submission import hidden_folders
from quizprep.grading.verdict import Verdict
from quizprep.grading.wire import Progress
from quizprep.quiz import times
from quizprep.store import Store, find_home

REMEMBERED = 50
"""Gradings whose pages can be opened again."""


@dataclass
class Grading:
    """One grading and what it has come to.

    stored  why the verdict is not stored; "" if it is
    """

    number: int
    exercise: Exercise
    source: str
    progress: str = "waiting"
    verdict: Verdict | None = None
    stored: str = ""
    work: Future[None] | None = field(default=None, repr=False)


class Gradings:
    """Grades one submission at a time, in the order in which they come."""

    def __init__(self, library: Library) -> None:
        self._pool = Pool()
        self._grader = Grader(self._pool, hidden_folders(library), by_line=True)
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._all: OrderedDict[int, Grading] = OrderedDict()
        self._lock = threading.Lock()
        self._last = 0

    def warm_up(self, exercise: Exercise) -> None:
        """Begin to import a runtime, which takes a second."""
        self._worker.submit(self._grader.warm_up, exercise)

    def start(self, exercise: Exercise, source: str) -> Grading:
        """Begin to grade a source text."""
        with self._lock:
            self._last += 1
            grading = self._all[self._last] = Grading(self._last, exercise, source)
            while len(self._all) > REMEMBERED:
                self._all.popitem(last=False)
        grading.work = self._worker.submit(self._grade, grading)
        return grading

    def find(self, number: int) -> Grading | None:
        """A grading by its number, if it is remembered."""
        return self._all.get(number)

    def _grade(self, grading: Grading) -> None:
        def told(progress: Progress) -> None:
            done = f" {progress.done} of {progress.total}" if progress.total > 1 else ""
            grading.progress = f"{progress.stage}{done}"

        submission = Submission(f"{grading.exercise.id}.py", grading.source.encode())
        verdict = self._grader.grade(grading.exercise, submission, progress=told)
        try:
            with Store.open() as store:
                store_attempt(store, verdict, times.now())
        except StoreError as error:
            grading.stored = error.message
        grading.verdict = verdict

    def close(self) -> None:
        """End the processes that grade; a grading that goes on ends with them."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._pool.stop()


class Drafts:
    """What was typed last for each exercise, in a file each."""

    def __init__(self) -> None:
        home = find_home()
        self._folder: Path | None = None if home is None else home / "drafts"

    def read(self, exercise: Exercise) -> str:
        """The draft of an exercise, or its starter."""
        try:
            assert self._folder is not None
            return (self._folder / f"{exercise.id}.py").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, AssertionError):
            return exercise.text("starter.py")

    def write(self, exercise: Exercise, source: str, name: str = "{}.py") -> None:
        """Keep a draft; raises StoreError."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            target = self._folder / name.format(exercise.id)
            replace_file(target, source.encode("utf-8", "replace"))
        except OSError as error:
            raise StoreError(
                f"What you typed cannot be kept in {self._folder}: {error.strerror}.",
                hint="Free the disk or name another QUIZPREP_HOME; the back key has the text.",
            ) from error

    def start_again(self, exercise: Exercise) -> None:
        """Make the starter the draft; the draft so far stays beside it."""
        self.write(exercise, self.read(exercise), "{}.before.py")
        self.write(exercise, exercise.text("starter.py"))
