"""The nursery: imports once, computes nothing, and forks two children for each grading.

It also supervises the children, because it is otherwise idle: it polls their pidfds, what the
learner prints, the judge's events and the parent's pipe, kills the learner at its deadline, and
reaps both. The most that the learner can make it do is read bytes.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from quizprep.grading import wire
from quizprep.worker import arena, process_stats, protocol
from quizprep.worker.children import JudgeEnds, LearnerEnds, run_child
from quizprep.worker.crash_location import CrashLocation
from quizprep.worker.judge import author_requests, judging, reference_cache
from quizprep.worker.learner import serving

SHOWN_OUTPUT = 4096
MAX_OUTPUT = 4 << 20
GRACE = 0.25
"""Seconds that a learner which closed its pipe has for exiting by itself."""

MAX_EXTENSION = 3
"""The deadline is extended for time that is not the learner's own, up to this multiple of it."""

SCAN_INTERVAL = 0.25
"""Seconds between two looks at the size of the files that the learner has written."""

CLOSED_ITS_PIPE = "closed the grader's pipe without ending, and was stopped"


def serve(runtime: str, device: str = "cpu") -> None:
    """Import what the runtime needs, then answer requests until the parent is gone."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    os.close(null)
    # It imports Triton beside this process, which needs much longer for torch.
    compiler = _start_compiler(runtime, device)
    try:
        _import_for(runtime, device)
        import_seconds = time.process_time()
        if device == "cuda" and not _has_gpu():
            wire.send(answers, wire.Fault(kind=wire.FaultKind.NO_GPU))
            return
    except ImportError as error:
        fault = wire.Fault(kind=wire.FaultKind.MISSING_PACKAGE, message=str(error))
        wire.send(answers, fault)
        return
    caches: dict[str, int] = {}
    while True:
        try:
            request = wire.receive(requests, wire.Request)
        except (wire.Closed, wire.Malformed):
            return
        try:
            if isinstance(request, wire.Grade):
                name = request.setup.exercise
                if name not in caches:
                    caches[name] = reference_cache.create()
                _Grading(
                    request.setup, requests, answers, caches[name], import_seconds, compiler
                ).run()
            else:
                _answer_in_child(request, answers)
        except wire.Closed:
            return
        except Exception:
            wire.send(answers, wire.Fault(message=traceback.format_exc()))


def _start_compiler(runtime: str, device: str) -> int:
    """Start the compiler's process for Triton's kernels; returns a socket to it. Otherwise the
    socket's other end is closed: on a GPU the kernels are compiled anyway."""
    ours, theirs = socket.socketpair()
    if runtime == "triton" and device != "cuda":
        subprocess.Popen(
            [sys.executable, "-P", "-m", "quizprep.worker.compiler"],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    theirs.close()
    return ours.detach()


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def _import_for(runtime: str, device: str) -> None:
    """Import everything that a child would import, so that it is loaded once; compute nothing."""
    import numpy.linalg
    import numpy.random  # noqa: F401

    if runtime == "numpy":
        from quizprep.worker.learner import numpy_meters  # noqa: F401
    else:
        import safetensors.torch  # noqa: F401
        import torch

        from quizprep.worker.learner import host_arrays, torch_bans, torch_meters  # noqa: F401

        # Confined, torch could not read the processor's flags and would select slow kernels.
        torch.backends.cpu.get_cpu_capability()
        torch.set_num_threads(1)
    if runtime == "triton":
        from quizprep.worker.learner import (
            interpreter,
            triton_meters,  # noqa: F401
        )

        interpreter.speed_up()
        if device != "cuda":
            interpreter.autotune_without_timing()
            interpreter.refuse_libdevice()
    # Building a decoder resolves annotations, which the learner can no longer do once the grader's
    # modules are hidden; msgspec caches the result.
    for kind in (protocol.Order, protocol.Reply, wire.Job, wire.Ended):
        wire.decoder(kind)
    # Children collect only their own garbage; the pages of everything else stay shared.
    gc.collect()
    gc.freeze()
    with contextlib.suppress(ImportError, RuntimeError):
        import py_landlock  # noqa: F401
        import pyseccomp  # noqa: F401


def _answer_in_child(request: wire.Asked, answers: int) -> None:
    """Answer in a child: loading an exercise runs its code, and the nursery stays clean."""
    pid = os.fork()
    if pid == 0:
        run_child(lambda: wire.send(answers, author_requests.answer(request)))
    if os.waitpid(pid, 0)[1]:
        wire.send(answers, wire.Fault(kind=wire.FaultKind.EXERCISE))


@dataclass
class _Grading:
    """One grading: its two children and what they have written so far."""

    setup: wire.Setup
    requests: int
    answers: int
    cache: int
    """Descriptor of the exercise's reference cache, which only judges read and write."""
    import_seconds: float
    """Processor time that importing the runtime took."""
    compiler: int
    """A socket to the compiler's process, which only judges use."""
    printed: bytearray = field(default_factory=bytearray)
    output_bytes: int = 0
    reason: str = ""
    """Why the learner's process ended or was killed."""
    unresponsive: bool = False
    """The learner no longer answers; it may be about to exit by itself."""

    def run(self) -> None:
        scratch = Path(tempfile.mkdtemp(prefix="quizprep-"))
        try:
            self._run(scratch)
        finally:
            remove_folder(scratch)

    def _run(self, scratch: Path) -> None:
        # A private copy: an editor that saves by renaming would leave a Landlock rule on an inode
        # that is no longer the file.
        self.code = code = scratch / "code"
        code.mkdir()
        path = code / self.setup.file_name
        path.write_bytes(self.setup.source)
        self.work = work = scratch / "work"
        work.mkdir()
        memory = arena.create()
        self.crash = crash = CrashLocation(path)
        order_r, order_w = os.pipe()
        reply_r, reply_w = os.pipe()
        for pipe in (order_w, reply_w):
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.output_r, output_w = os.pipe()
        self.event_r, event_w = os.pipe()
        control_r, self.control_w = os.pipe()
        ready_r, ready_w = os.pipe()
        learner = LearnerEnds(order_r, reply_w, memory, output_w, ready_w, crash.write_end)
        judge = JudgeEnds(
            requests=self.requests,
            orders=order_w,
            replies=reply_r,
            events=event_w,
            control=control_r,
            ready=ready_r,
            memory=memory,
            cache=self.cache,
            compiler=self.compiler,
        )
        nursery = os.getpid()
        self.learner_pid = learner_pid = os.fork()
        if learner_pid == 0:
            run_child(lambda: serving.main(nursery, learner, self.setup, path, work))
        self.judge_pid = os.fork()
        if self.judge_pid == 0:
            run_child(
                lambda: judging.main(nursery, judge, learner_pid, str(work), self.import_seconds)
            )
        for fd in {*learner.all(), *judge.all()} - {self.requests, self.cache, self.compiler}:
            os.close(fd)
        self.learner_fd = os.pidfd_open(self.learner_pid)
        self.judge_fd = os.pidfd_open(self.judge_pid)
        try:
            self._supervise()
        finally:
            self._clean_up()

    def _supervise(self) -> None:
        """Until the judge is done: forward its events, limit the learner, detect that the parent is
        gone."""
        watch = select.poll()
        for fd in (self.learner_fd, self.judge_fd, self.output_r, self.event_r):
            watch.register(fd, select.POLLIN)
        # Only for hang-up: the next request may arrive before this judge has exited.
        watch.register(self.requests, 0)
        start = time.monotonic()
        deadline = start + self.setup.deadline
        learner_alive, result_sent = True, False
        next_scan = 0.0
        while True:
            wait = max(deadline - time.monotonic(), 0) if learner_alive else None
            ready = {fd for fd, _ in watch.poll(None if wait is None else min(wait, 0.5) * 1000)}
            now = time.monotonic()
            if learner_alive and now >= deadline and not (self.reason or self.unresponsive):
                deadline = start + self._allowed()
            if learner_alive and now >= deadline:
                self._kill(self._overdue())
            if learner_alive and now >= next_scan:
                next_scan = now + SCAN_INTERVAL
                if process_stats.folder_bytes(self.work) > process_stats.MAX_WRITTEN:
                    self._kill("wrote more than 1 MiB of files and was stopped")
            if self.output_r in ready and not self._read_output():
                watch.unregister(self.output_r)
            if self.requests in ready:
                raise wire.Closed  # the parent is gone, or wants no answer any more
            if self.event_r in ready:
                event = self._read_event()
                if event is None:
                    watch.unregister(self.event_r)
                elif isinstance(event, wire.Lost):
                    deadline = min(deadline, time.monotonic() + GRACE)
                    self.unresponsive = True
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
        """Why a learner that has not finished by its deadline is stopped."""
        if self.reason or self.unresponsive:
            return CLOSED_ITS_PIPE
        where = self.crash.current_line(self.learner_fd)
        return f"was still running after {self.setup.deadline:g} s and was stopped{where}"

    def _allowed(self) -> float:
        """Seconds after which the learner is stopped: its deadline, plus the CPU time of the judge
        and the time that the learner waited for a processor. A slow or busy machine is not its
        fault."""
        others = process_stats.cpu_time(self.judge_pid) + process_stats.run_delay(self.learner_pid)
        return min(self.setup.deadline + others / 1e9, MAX_EXTENSION * self.setup.deadline)

    def _read_event(self) -> wire.Event | wire.Lost | None:
        try:
            event: wire.Event | wire.Lost = wire.receive(self.event_r, wire.Event | wire.Lost)
        except wire.Closed:
            return None
        if isinstance(event, wire.Judged):
            self._drain()
            # A warning names the file; the learner knows it by another path.
            text = bytes(self.printed).decode("utf-8", "replace").replace(f"{self.code}/", "")
            event = wire.Judged(verdict=msgspec.structs.replace(event.verdict, printed=text))
        return event

    def _read_output(self) -> bool:
        chunk = os.read(self.output_r, 1 << 16)
        if not chunk:
            return False
        self.output_bytes += len(chunk)
        self.printed += chunk[: SHOWN_OUTPUT - len(self.printed)]
        if self.output_bytes > MAX_OUTPUT:
            self._kill("printed more than 4 MiB and was stopped")
        return True

    def _drain(self) -> None:
        """Read what the learner has printed so far, without waiting for more."""
        while select.select([self.output_r], [], [], 0)[0] and self._read_output():
            continue

    def _kill(self, reason: str) -> None:
        self.reason = self.reason or reason
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.learner_fd, signal.SIGKILL)

    def _reap_learner(self) -> None:
        status = os.waitpid(self.learner_pid, 0)[1]
        self.learner_pid = 0
        if not self.reason:
            self.reason = _how_it_ended(status) + self.crash.last_line()
        with contextlib.suppress(wire.Closed):
            wire.send(self.control_w, wire.Ended(reason=self.reason))

    def _clean_up(self) -> None:
        for pid in (self.learner_pid, self.judge_pid):
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)
        for fd in (self.learner_fd, self.judge_fd, self.event_r, self.output_r, self.control_w):
            os.close(fd)
        self.crash.close()


def remove_folder(folder: Path) -> None:
    """Remove a folder with everything in it, as far as that is possible.

    Folders may be nested more deeply than a path can say, or than a function can recurse. So each
    folder inside is moved up to the top, where a learner cannot create any, before it is emptied.
    """
    waiting, moved = [folder], 0
    emptied = []
    while waiting:
        current = waiting.pop()
        emptied.append(current)
        with contextlib.suppress(OSError):
            for entry in list(os.scandir(current)):
                if entry.is_dir(follow_symlinks=False):
                    moved += 1
                    waiting.append(folder / f".{moved}")
                    os.rename(entry.path, waiting[-1])
                else:
                    os.unlink(entry.path)
    for each in reversed(emptied):
        with contextlib.suppress(OSError):
            os.rmdir(each)


def _how_it_ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name
        if number == signal.SIGKILL:
            return "was killed (out of memory?)"
        return f"crashed with {name}"
    return f"ended its own process with status {os.waitstatus_to_exitcode(status)}"
