"""The nursery: imports once, computes nothing, forks two children a grading and watches them.

It is the supervisor because it is idle: it waits on the children's pidfds, on what the
learner prints, on the judge's events and on the parent's pipe, kills at the deadline, and
reaps. Nothing the learner does can make it do anything but read bytes.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import msgspec

from quizprep.grading import wire
from quizprep.worker import arena, process_stats, protocol
from quizprep.worker.crash_location import Whereabouts
from quizprep.worker.judge import reference_cache
from quizprep.worker.learner import confinement

SHOWN_OUTPUT = 4096
MAX_OUTPUT = 4 << 20
GRACE = 0.25
"""Seconds a learner that closed its pipe may take to end by itself."""

LONGEST = 3
"""Times the deadline that a learner has at most, however much of it is not its own."""

LOOK = 0.25
"""Seconds between looks at what the learner has written."""

CLOSED_ITS_PIPE = "closed the grader's pipe without ending, and was stopped"


def serve(runtime: str, device: str = "cpu") -> None:
    """Import what the runtime needs, then answer requests until the parent is gone."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    os.close(null)
    try:
        _import_for(runtime, device)
        if device == "cuda" and not _has_gpu():
            wire.send(answers, wire.Fault(kind=wire.FaultKind.NO_GPU))
            return
    except ImportError as error:
        fault = wire.Fault(kind=wire.FaultKind.MISSING_PACKAGE, message=str(error))
        wire.send(answers, fault)
        return
    keeping: dict[str, int] = {}
    while True:
        try:
            request = wire.receive(requests, wire.Request)
        except (wire.Closed, wire.Malformed):
            return
        try:
            if isinstance(request, wire.Grade):
                name = request.setup.exercise
                if name not in keeping:
                    keeping[name] = reference_cache.create()
                _Grading(request.setup, requests, answers, keeping[name]).run()
            else:
                _answer_in_child(request, answers)
        except wire.Closed:
            return
        except Exception:
            wire.send(answers, wire.Fault(message=traceback.format_exc()))


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def _import_for(runtime: str, device: str) -> None:
    """Everything a child would import, so that it is loaded once; nothing is computed."""
    import numpy.linalg
    import numpy.random  # noqa: F401

    from quizprep.worker.judge import judging  # noqa: F401
    from quizprep.worker.learner import serving  # noqa: F401

    if runtime == "numpy":
        from quizprep.worker.learner import numpy_meters  # noqa: F401
    else:
        import safetensors.torch  # noqa: F401
        import torch

        from quizprep.worker.learner import attention_ban, torch_meters  # noqa: F401

        # Confined, torch cannot read the processor's flags and falls back to slow kernels.
        torch.backends.cpu.get_cpu_capability()
        torch.set_num_threads(1)
    if runtime == "triton":
        from quizprep.worker.learner import triton_meters  # noqa: F401
        from quizprep.worker.learner.interpreter import choose_without_timing, without_repetition

        without_repetition()
        if device != "cuda":
            choose_without_timing()
    # Once here instead of once in every child; the learner's cannot resolve names any more.
    for kind in (protocol.Order, protocol.Reply, wire.Job, wire.Ended):
        wire.decoder(kind)
    # Children collect garbage of their own only, and share the pages of everything else.
    gc.collect()
    gc.freeze()
    with contextlib.suppress(ImportError, RuntimeError):
        import py_landlock  # noqa: F401
        import pyseccomp  # noqa: F401


def _answer_in_child(request: wire.Asked, answers: int) -> None:
    """In a child, because loading an exercise runs its code and the nursery stays clean."""
    pid = os.fork()
    if pid == 0:
        _in_child(lambda: wire.send(answers, _answer(request)))
    if os.waitpid(pid, 0)[1]:
        wire.send(answers, wire.Fault(kind=wire.FaultKind.EXERCISE))


def _answer(request: wire.Asked) -> wire.Answer:
    from quizprep.worker.judge.exercise_files import load_mistakes
    from quizprep.worker.judge.pairs import tell_apart

    if isinstance(request, wire.TellApart):
        return tell_apart(request)
    if isinstance(request, wire.Probe):
        from quizprep.worker.judge.mask_probe import probe

        return probe(request)
    known = load_mistakes(request.folder).mistakes
    return wire.Described(
        switches={name: mistake.switches(name) for name, mistake in known.items()}
    )


def _in_child(work: Callable[[], None]) -> NoReturn:
    """Run the work of a forked child and leave without torch's teardown."""
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        os._exit(status)


@dataclass
class _Grading:
    """One grading: two children and what they have written so far."""

    setup: wire.Setup
    requests: int
    answers: int
    kept: int
    """Descriptor of what judges of this exercise leave to each other; never read here."""
    printed: bytearray = field(default_factory=bytearray)
    output: int = 0
    reason: str = ""
    """Why the learner's process was stopped, or ended."""
    silent: bool = False
    """It no longer answers; it may be about to end by itself."""

    def run(self) -> None:
        scratch = Path(tempfile.mkdtemp(prefix="quizprep-"))
        try:
            self._run(scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _run(self, scratch: Path) -> None:
        # A private copy: an editor that saves by renaming would leave a rule on a dead inode.
        path = scratch / "code" / self.setup.file_name
        path.parent.mkdir()
        path.write_bytes(self.setup.source)
        self.work = scratch / "work"
        self.work.mkdir()
        memory = arena.create()
        order_r, order_w = os.pipe()
        reply_r, reply_w = os.pipe()
        out_r, out_w = os.pipe()
        for pipe in (order_w, reply_w):
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.whereabouts = Whereabouts(path)
        event_r, event_w = os.pipe()
        control_r, control_w = os.pipe()
        ready_r, ready_w = os.pipe()
        nursery = os.getpid()

        learner_pid = os.fork()
        if learner_pid == 0:
            _in_child(
                lambda: self._be_learner(nursery, path, memory, order_r, reply_w, out_w, ready_w)
            )
        judge_pid = os.fork()
        if judge_pid == 0:
            keep = (
                *(self.requests, memory, order_w, reply_r, event_w, control_r, ready_r),
                self.kept,
            )
            _in_child(lambda: self._be_judge(nursery, learner_pid, keep))
        for fd in (order_r, order_w, reply_r, reply_w, out_w, event_w, control_r, ready_r, ready_w):
            os.close(fd)
        os.close(self.whereabouts.far)
        os.close(memory)
        self.event_r, self.out_r, self.control_w = event_r, out_r, control_w
        self.learner_pid, self.judge_pid = learner_pid, judge_pid
        self.learner_fd = os.pidfd_open(learner_pid)
        self.judge_fd = os.pidfd_open(judge_pid)
        try:
            self._supervise()
        finally:
            self._clean_up()

    # --- the children ---

    def _be_learner(
        self, nursery: int, path: Path, memory: int, orders: int, answers: int, out: int, ready: int
    ) -> None:
        from quizprep.worker.backends import backend_for
        from quizprep.worker.learner import serving
        from quizprep.worker.learner.instruments import Instruments

        confinement.die_with_parent(nursery)
        os.setsid()
        os.dup2(out, 1)
        os.dup2(out, 2)
        _close_except({0, 1, 2, memory, orders, answers, ready, self.whereabouts.far})
        self.whereabouts.tell()
        os.chdir(self.work)
        tempfile.tempdir = str(self.work)
        on_gpu = self.setup.device == "cuda"
        path_of_tools = {"PATH": os.environ.get("PATH", "")} if on_gpu else {}
        os.environ.clear()
        os.environ.update(
            TMPDIR=str(self.work),
            HOME=str(self.work),
            TRITON_INTERPRET="0" if on_gpu else "1",
            KINETO_LOG_LEVEL="99",
            # For every shape of a half-precision product oneDNN makes a kernel and describes it
            # in half a mebibyte; it keeps a thousand, which looks like the submission's memory.
            # Two, because attention takes two products in turn.
            ONEDNN_PRIMITIVE_CACHE_CAPACITY="2",
            LRU_CACHE_CAPACITY="2",
            **path_of_tools,
        )
        # Dicts of a fresh process would give away nothing, but a pipe end would.
        sys.stdin = open(os.devnull)
        sys.stdout = open(1, "w", closefd=False, buffering=1)
        sys.stderr = open(2, "w", closefd=False, buffering=1)
        missing: list[str] = []
        if not on_gpu:
            Instruments(self.setup.runtime).warm()
        if on_gpu:  # unseen: only on a GPU
            # A GPU's driver opens devices, starts threads and maps what no limit allows, and
            # Triton's compiler starts processes.
            missing = ["anything: a GPU's driver cannot work confined"]
        elif self.setup.confine:
            read = [*confinement.readable(self.setup.hidden), str(path.parent)]
            missing = confinement.confine(read, str(self.work), self.setup.memory_limit)
        else:
            missing = ["everything (switched off)"]
        os.write(ready, msgspec.msgpack.encode(missing))
        os.close(ready)
        setup = self.setup
        backend = backend_for(setup.runtime, setup.device)
        serving.main(orders, answers, memory, backend, setup.runtime, str(path), setup.entries)

    def _be_judge(self, nursery: int, learner_pid: int, keep: tuple[int, ...]) -> None:
        from quizprep.worker.judge import judging
        from quizprep.worker.judge.witness import Subject

        requests, memory, orders, replies, events, control, ready, known = keep
        confinement.die_with_parent(nursery)
        os.setsid()
        _close_except({0, 1, 2, *keep})
        _keep_freed_memory()
        # Only now, so that neither this process's parent nor the learner has held a seed.
        job: wire.Job = wire.receive(requests, wire.Job)
        os.close(requests)
        subject = Subject(learner_pid, memory, str(self.work))
        judging.main(job, subject, orders, replies, events, control, ready, known)

    # --- watching ---

    def _supervise(self) -> None:
        """Until the judge is done: forward its events, bound the learner, notice the parent."""
        watch = select.poll()
        for fd in (self.learner_fd, self.judge_fd, self.out_r, self.event_r):
            watch.register(fd, select.POLLIN)
        # Only for its end: the next request may come before this judge has left.
        watch.register(self.requests, 0)
        start = time.monotonic()
        deadline = start + self.setup.deadline
        learner_alive, result_sent = True, False
        look = 0.0
        while True:
            wait = max(deadline - time.monotonic(), 0) if learner_alive else None
            ready = {fd for fd, _ in watch.poll(None if wait is None else min(wait, 0.5) * 1000)}
            now = time.monotonic()
            if learner_alive and now >= deadline and not (self.reason or self.silent):
                deadline = start + self._allowed()
            if learner_alive and now >= deadline:
                self._kill(self._overdue())
            if learner_alive and now >= look:
                look = now + LOOK
                if process_stats.written(self.work) > process_stats.MAX_WRITTEN:
                    self._kill("wrote more than 1 MiB of files and was stopped")
            if self.out_r in ready and not self._read_output():
                watch.unregister(self.out_r)
            if self.requests in ready:
                raise wire.Closed  # the parent is gone, or wants no answer any more
            if self.event_r in ready:
                event = self._read_event()
                if event is None:
                    watch.unregister(self.event_r)
                elif isinstance(event, wire.Lost):
                    deadline = min(deadline, time.monotonic() + GRACE)
                    self.silent = True
                    self.reason = self.reason or event.reason
                else:
                    result_sent = result_sent or not isinstance(event, wire.Progress)
                    wire.send(self.answers, event)
            if learner_alive and self.learner_fd in ready:
                learner_alive = False
                watch.unregister(self.learner_fd)
                self._reap_learner()
            if self.judge_fd in ready and self.event_r not in ready:
                if not result_sent:
                    wire.send(self.answers, wire.Fault(message="the judge ended without a verdict"))
                return

    def _overdue(self) -> str:
        """Why a learner that did not end by its deadline is stopped."""
        if self.reason or self.silent:
            return CLOSED_ITS_PIPE
        where = self.whereabouts.asked(self.learner_fd)
        return f"was still running after {self.setup.deadline:g} s and was stopped{where}"

    def _allowed(self) -> float:
        """Seconds after which the learner is stopped. It is not charged for what the judge works
        and for what it waits itself for a processor: a slow or busy machine is not its fault."""
        others = process_stats.processor_time(self.judge_pid) + process_stats.waited(
            self.learner_pid
        )
        return min(self.setup.deadline + others / 1e9, LONGEST * self.setup.deadline)

    def _read_event(self) -> wire.Event | wire.Lost | None:
        try:
            event: wire.Event | wire.Lost = wire.receive(self.event_r, wire.Event | wire.Lost)
        except wire.Closed:
            return None
        if isinstance(event, wire.Judged):
            self._drain()
            text = bytes(self.printed).decode("utf-8", "replace")
            event = wire.Judged(verdict=msgspec.structs.replace(event.verdict, printed=text))
        return event

    def _read_output(self) -> bool:
        chunk = os.read(self.out_r, 1 << 16)
        if not chunk:
            return False
        self.output += len(chunk)
        self.printed += chunk[: SHOWN_OUTPUT - len(self.printed)]
        if self.output > MAX_OUTPUT:
            self._kill("printed more than 4 MiB and was stopped")
        return True

    def _drain(self) -> None:
        """What the learner has printed up to now, without waiting for more."""
        while select.select([self.out_r], [], [], 0)[0] and self._read_output():
            continue

    def _kill(self, reason: str) -> None:
        self.reason = self.reason or reason
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.learner_fd, signal.SIGKILL)

    def _reap_learner(self) -> None:
        status = os.waitpid(self.learner_pid, 0)[1]
        self.learner_pid = 0
        if not self.reason:
            self.reason = _how_it_ended(status) + self.whereabouts.last()
        with contextlib.suppress(wire.Closed):
            wire.send(self.control_w, wire.Ended(reason=self.reason))

    def _clean_up(self) -> None:
        for pid in (self.learner_pid, self.judge_pid):
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)
        for fd in (self.learner_fd, self.judge_fd, self.event_r, self.out_r, self.control_w):
            os.close(fd)
        self.whereabouts.close()


def _keep_freed_memory() -> None:
    """Let the allocator use freed blocks again: nobody watches the judge's memory, and fresh
    pages cost it more than the reference's arithmetic."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, 1 << 30)


def _how_it_ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name
        if number == signal.SIGKILL:
            return "was killed (out of memory?)"
        return f"crashed with {name}"
    return f"ended its own process with status {os.waitstatus_to_exitcode(status)}"


def _close_except(keep: set[int]) -> None:
    previous = -1
    for fd in sorted(keep):
        # CPython 3.11 closes everything when asked for an empty range.
        if previous + 1 < fd:
            os.closerange(previous + 1, fd)
        previous = fd
    os.closerange(previous + 1, 1 << 16)
