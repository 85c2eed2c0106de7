"""Nurseries: processes that import a runtime once and fork a judge and a learner for each
grading."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from types import TracebackType
from typing import TypeVar

from quizprep.errors import MissingExtraError, UsageError
from quizprep.grading import wire
from quizprep.grading.verdict import Params, Verdict

_Answer = TypeVar("_Answer", wire.Described, wire.ToldApart, wire.Probed)

_NEEDS = {"numpy": ("numpy",), "torch": ("torch",), "triton": ("torch", "triton")}

EXIT_TIMEOUT = 5.0
"""Seconds that a nursery has for exiting by itself."""


class GraderFault(Exception):
    """A fault of ours in grading; the text is for a bug report."""


class Nursery:
    """One nursery process; it is idle between gradings and ends when closed."""

    def __init__(self, runtime: str, device: str = "cpu") -> None:
        """Start the process, which imports the runtime in the background; raises MissingExtraError
        at once if a package is missing."""
        if any(find_spec(name) is None for name in (*_NEEDS[runtime], "safetensors")):
            raise MissingExtraError(f"Grading {runtime} exercises", "grade")
        self._runtime = runtime
        self._errors = tempfile.TemporaryFile()
        environment = {
            **os.environ,
            # Freed blocks are returned to the system, so that resident memory follows live memory.
            "MALLOC_MMAP_THRESHOLD_": "65536",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "quizprep.worker", runtime, device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            start_new_session=True,
        )

    def grade(
        self,
        setup: wire.Setup,
        job: wire.Job,
        progress: Callable[[wire.Progress], None] | None = None,
    ) -> Verdict:
        """Run one job; raises GraderFault for a fault of ours, never of the learner."""
        self._send(wire.Grade(setup=setup))
        self._send(job)
        while True:
            answer = self._receive()
            match answer:
                case wire.Progress():
                    if progress is not None:
                        progress(answer)
                case wire.Judged():
                    return answer.verdict
                case wire.Fault():
                    raise self._fault(answer)
                case _:
                    raise GraderFault(f"unexpected answer {type(answer).__name__}")

    def describe(self, folder: str) -> wire.Described:
        """The mistakes of an exercise."""
        return self._ask(wire.Describe(folder=folder), wire.Described)

    def tell_apart(self, folder: str, cases: tuple[wire.Case, ...]) -> wire.ToldApart:
        """The diagnosis of every pair of an exercise's mistakes on these cases."""
        request = wire.TellApart(folder=folder, runtime=self._runtime, cases=cases)
        return self._ask(request, wire.ToldApart)

    def probe(self, folder: str, params: Params, seed: int) -> wire.Probed:
        """Which keys each query sees, according to an exercise's reference."""
        return self._ask(wire.Probe(folder=folder, params=params, seed=seed), wire.Probed)

    def _ask(self, request: wire.Asked, kind: type[_Answer]) -> _Answer:
        self._send(request)
        answer = self._receive()
        if isinstance(answer, wire.Fault):
            raise self._fault(answer)
        assert isinstance(answer, kind)
        return answer

    def _send(self, request: wire.Request | wire.Job) -> None:
        assert self._process.stdin is not None
        try:
            wire.send(self._process.stdin.fileno(), request)
        except wire.Closed as error:
            # It may have sent a fault before it exited.
            answer = self._receive()
            if isinstance(answer, wire.Fault):
                raise self._fault(answer) from error
            raise self._died() from error

    def _receive(self) -> wire.Answer:
        assert self._process.stdout is not None
        try:
            answer: wire.Answer = wire.receive(self._process.stdout.fileno(), wire.Answer)
        except (wire.Closed, wire.Malformed) as error:
            raise self._died() from error
        return answer

    def _fault(self, fault: wire.Fault) -> Exception:
        match fault.kind:
            case wire.FaultKind.NO_GPU:
                return UsageError(
                    "There is no GPU here that torch can use.", hint="Grade without --device cuda."
                )
            case wire.FaultKind.MISSING_PACKAGE:
                return MissingExtraError("Grading", "grade")
            case wire.FaultKind.EXERCISE:
                return GraderFault(f"the exercise's files could not be run: {self._stderr_tail()}")
            case _:
                return GraderFault(f"{fault.message} {self._stderr_tail()}".strip())

    def _died(self) -> Exception:
        self._end()
        return GraderFault(f"the grading process ended: {self._stderr_tail()}")

    def _stderr_tail(self) -> str:
        """The end of what the nursery and its judges wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace").strip()[-2000:]

    def close(self) -> None:
        """End the process and everything that it forked."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._end()
        self._errors.close()

    def stop(self) -> None:
        """End the process while another thread waits for its answer."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._end()

    def _end(self) -> None:
        """Wait for the process to exit; kill it if that takes too long."""
        try:
            self._process.wait(timeout=EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Pool:
    """One nursery for each runtime, started on demand."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self._nurseries: dict[str, Nursery] = {}
        self._stopped = False

    def nursery(self, runtime: str) -> Nursery:
        """The nursery of a runtime; raises GraderFault once the pool was stopped."""
        if not self._stopped and runtime not in self._nurseries:
            self._nurseries[runtime] = Nursery(runtime, self.device)
        if self._stopped:  # perhaps while the nursery was started
            self.drop(runtime)
            raise GraderFault("the grading was stopped")
        return self._nurseries[runtime]

    def stop(self) -> None:
        """End what another thread grades in this pool: its grading fails, and no other begins."""
        self._stopped = True
        for nursery in list(self._nurseries.values()):
            nursery.stop()

    def drop(self, runtime: str) -> None:
        """Forget a nursery that failed, so that the next grading starts a fresh one."""
        nursery = self._nurseries.pop(runtime, None)
        if nursery is not None:
            nursery.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for runtime in list(self._nurseries):
            self.drop(runtime)
