"""Gradings in the background: a page asks how far one is, and shows its verdict when it ends."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from quizprep.content.library import Exercise, Library
from quizprep.errors import StoreError
from quizprep.files import replace_file
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.loop import store_attempt
from quizprep.grading.pool import Pool
from quizprep.grading.submission import file_stamp, hidden_folders, read_submission
from quizprep.grading.verdict import Verdict
from quizprep.grading.wire import Progress
from quizprep.quiz import times
from quizprep.store import Store, find_home

REMEMBERED = 50
"""Gradings whose pages can be opened again."""

ABANDONED = 5.0
"""Seconds without a page that waits for a grading, after which it is cancelled. A page that is
loaded again, or that asks every second for want of scripts, keeps it."""

TICK = 0.1
"""Seconds between two looks at what a page is to be told."""

Ended = Callable[[Verdict], None]


@dataclass
class Grading:
    """One grading and what it has come to.

    name      of the submission, as tracebacks have it
    back      the page to work on
    file      what is graded, if it is a file of the learner's; ``stamp`` tells its state then
    stored    why the verdict is not stored; "" if it is
    watchers  the open pages that are told its progress; ``seen`` is when the last one asked
    """

    number: int
    exercise: Exercise
    source: str
    name: str
    back: str
    file: Path | None = None
    stamp: object = None
    progress: str = ""
    verdict: Verdict | None = None
    cancelled: bool = False
    stored: str = ""
    watchers: int = 0
    seen: float = field(default_factory=time.monotonic)
    pool: Pool | None = field(default=None, repr=False)
    work: Future[None] | None = field(default=None, repr=False)

    @property
    def over(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.verdict is not None or self.cancelled or (
            self.work is not None and self.work.done()
        )  # fmt: skip


@dataclass(frozen=True)
class _Slot:
    """What one grading at a time runs in."""

    pool: Pool
    grader: Grader


class Gradings:
    """Grades one submission a core at a time, in the order in which they come."""

    def __init__(self, library: Library) -> None:
        self._hidden = hidden_folders(library)
        self._cores = len(os.sched_getaffinity(0))
        # The one that was used last is taken first: it is warm.
        self._idle: list[_Slot] = []
        self._workers = ThreadPoolExecutor(max_workers=self._cores)
        self._all: OrderedDict[int, Grading] = OrderedDict()
        self._lock = threading.Lock()
        self._last = 0
        self._looking = False
        self._closed = threading.Event()

    def warm_up(self, exercise: Exercise) -> None:
        """Begin to import a runtime, which takes a second."""
        self._workers.submit(self._warm_up, exercise)

    def _warm_up(self, exercise: Exercise) -> None:
        slot = self._take()
        try:
            slot.grader.warm_up(exercise)
        finally:
            self._give(slot)

    def start(
        self,
        exercise: Exercise,
        source: str,
        back: str = "",
        file: Path | None = None,
        ended: Ended = lambda _: None,
    ) -> Grading:
        """Begin to grade a source text; ``ended`` is told the verdict before any page is."""
        with self._lock:
            self._last += 1
            name = file.name if file else f"{exercise.id}.py"
            back = back or f"/exercises/{exercise.id}?of={self._last}"
            stamp = file_stamp(file) if file else None
            grading = Grading(self._last, exercise, source, name, back, file, stamp)
            self._all[self._last] = grading
            while len(self._all) > REMEMBERED:
                self._all.popitem(last=False)
            grading.work = self._workers.submit(self._grade, grading, ended)
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, daemon=True).start()
        return grading

    def start_file(self, exercise: Exercise, path: Path) -> Grading:
        """Begin to grade a file of the learner's; raises UsageError if it cannot be read."""
        submission = read_submission(path, f"quizprep start {exercise.id}")
        source = submission.source.decode("utf-8", "replace")
        return self.start(exercise, source, file=path)

    def find(self, number: int) -> Grading | None:
        """A grading by its number, if it is remembered; a page asked for it."""
        grading = self._all.get(number)
        if grading is not None:
            grading.seen = time.monotonic()
        return grading

    def says(self, grading: Grading) -> str:
        """How far a grading is, or that it waits for others."""
        if grading.progress:
            return grading.progress
        with self._lock:
            before = sum(not e.over and e.number < grading.number for e in self._all.values())
        if before < self._cores:
            return "starting"
        return f"waiting until a core is free, {before} before it"

    async def events(self, grading: Grading) -> AsyncIterator[str]:
        """Server-sent events: how far a grading is, then ``over``. While they are listened to the
        grading is not abandoned."""
        said, silent = "", 0.0
        grading.watchers += 1
        try:
            while not grading.over and not self._closed.is_set():
                silent += TICK
                if (now := self.says(grading)) != said or silent > 1:
                    said, silent = now, 0.0
                    yield f"data: {json.dumps(now)}\n\n"
                await asyncio.sleep(TICK)
            yield "event: over\ndata: 0\n\n"
        finally:
            grading.seen = time.monotonic()
            grading.watchers -= 1

    async def changes(self, grading: Grading) -> AsyncIterator[str]:
        """Server-sent events: ``over`` as soon as the file that was graded is saved again."""
        silent = 0.0
        while not self._closed.is_set():
            now = await asyncio.to_thread(file_stamp, grading.file) if grading.file else None
            if now not in (None, grading.stamp):
                yield "event: over\ndata: 0\n\n"
                return
            silent += 2 * TICK
            if silent > 1:
                silent = 0.0
                yield ":\n\n"  # finds out whether somebody still listens
            await asyncio.sleep(2 * TICK)

    def cancel(self, grading: Grading) -> None:
        """End a grading; nothing of it is stored."""
        with self._lock:
            if grading.over:
                return
            grading.cancelled = True
            pool = grading.pool
        assert grading.work is not None
        grading.work.cancel()
        if pool is not None:
            pool.stop()

    def _look(self) -> None:
        """Cancel what no page waits for any more, as long as anything is graded."""
        while not self._closed.wait(0.5):
            with self._lock:
                going_on = [each for each in self._all.values() if not each.over]
                if not going_on:
                    self._looking = False
                    return
            for each in going_on:
                if not each.watchers and time.monotonic() - each.seen > ABANDONED:
                    self.cancel(each)

    def _take(self) -> _Slot:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        pool = Pool()
        return _Slot(pool, Grader(pool, self._hidden, by_line=True))

    def _give(self, slot: _Slot) -> None:
        with self._lock:
            self._idle.append(slot)

    def _grade(self, grading: Grading, ended: Ended) -> None:
        def told(progress: Progress) -> None:
            done = f" {progress.done} of {progress.total}" if progress.total > 1 else ""
            grading.progress = f"{progress.stage}{done}"

        slot = self._take()
        with self._lock:
            if not grading.cancelled:
                grading.pool, grading.progress = slot.pool, "load"
        if grading.pool is None:
            self._give(slot)
            return
        submission = Submission(grading.name, grading.source.encode())
        try:
            verdict = slot.grader.grade(grading.exercise, submission, progress=told)
        finally:
            with self._lock:
                grading.pool = None
            if not grading.cancelled:
                self._give(slot)
        if grading.cancelled:
            return  # its processes were ended
        try:
            with Store.open() as store:
                store_attempt(store, verdict, times.now())
            ended(verdict)
        except StoreError as error:
            grading.stored = error.message
        grading.verdict = verdict

    def hush(self) -> None:
        """End what pages listen to: a server that ends waits for it."""
        self._closed.set()

    def close(self) -> None:
        """End the processes that grade; a grading that goes on ends with them."""
        self.hush()
        self._workers.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            going_on = [each.pool for each in self._all.values() if each.pool is not None]
            idle = [slot.pool for slot in self._idle]
        for pool in (*idle, *going_on):
            pool.stop()


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
