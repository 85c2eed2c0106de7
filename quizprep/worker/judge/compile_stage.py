"""The stage in which a submission's kernels are compiled for a GPU that is not here."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Sequence

from quizprep.grading import wire
from quizprep.grading.verdict import Raised, Stage
from quizprep.text import counted, printable
from quizprep.worker import protocol
from quizprep.worker.compiler.request import Compile, Compiled, Outcome
from quizprep.worker.judge.examiner import sanitised_exception
from quizprep.worker.protocol import Kernel, Launch, Value

MOST = 6
"""Launches of one grading that are compiled: one costs about a tenth of importing torch."""

Feature = tuple[int, str, str]


class CompileStage:
    """Collects how kernels are launched, and asks the compiler's process about it.

    The request is sent once the correctness cases are done, and the answer read at the end of the
    grading: the compiler works beside the cost stage.
    """

    def __init__(self, job: wire.Job, compiler: int) -> None:
        """``compiler`` is a socket to the compiler's process."""
        self._job = job
        self._socket = compiler
        self._kernels: dict[int, Kernel] = {}
        self._launches: list[Launch] = []
        self._launched = 0
        """Kernels that were launched."""
        self._number = 0
        """Of the last request; 0 if there was none."""

    def collect(self, reply: protocol.Reply) -> None:
        """Take the launches that a reply reports."""
        self._kernels |= {kernel.line: kernel for kernel in reply.kernels}
        self._launches += reply.launches

    def start(self) -> None:
        """Ask for the compilation of a few launches, in which every dtype and constant occurs."""
        self._launched = len({launch.kernel for launch in self._launches})
        if not self._job.brief:
            self._ask(covering(self._launches))
        self._launches.clear()

    def _ask(self, launches: Sequence[Launch], assemble: bool = False) -> None:
        self._number = secrets.randbits(62) if launches else 0
        request = Compile(
            number=self._number,
            source=self._job.source,
            target=self._job.target,
            kernels=tuple(self._kernels.values()),
            launches=tuple(launches),
            assemble=assemble,
        )
        if launches:
            with contextlib.suppress(wire.Closed, OSError):
                wire.send(self._socket, request)

    def _answer(self) -> tuple[Outcome, ...]:
        answer: Compiled = wire.receive(self._socket, Compiled)
        while answer.number != self._number:  # of a grading that was cancelled
            answer = wire.receive(self._socket, Compiled)
        return answer.outcomes

    def stage(self) -> Stage | None:
        """The result; None if nothing was compiled. The launches collected since `start` are those
        of which machine code is made."""
        if not self._number:
            return None
        target = f"sm_{self._job.target}"
        try:
            outcomes = self._answer()
            notes = _notes(outcomes)
            if self._launches and all(outcome.error is None for outcome in outcomes):
                self._ask(self._launches, assemble=True)
                outcomes = self._answer()
        except (wire.Closed, wire.Malformed, OSError):
            return Stage(name="compile", status="skip", message="Triton's compiler is not at hand")
        kernels = tuple(outcome.figures for outcome in outcomes if outcome.figures is not None)
        failed = [outcome.error for outcome in outcomes if outcome.error is not None]
        if failed:
            return _failure(failed, target)
        unchecked = [outcome.unchecked for outcome in outcomes if outcome.unchecked]
        if unchecked:
            text = f"not compiled for {target}: {printable(unchecked[0])}"
            return Stage(name="compile", status="skip", message=text, kernels=kernels, notes=notes)
        allowed = self._job.spec.contract.spilled
        spilling = [k for k in kernels if allowed is not None and k.spilled > allowed]
        text = f"{counted(self._launched, 'kernel')} for {target}"
        if spilling:
            text = (
                f"{spilling[0].name} spills {spilling[0].spilled:,} bytes of each thread "
                f"({target}); the contract allows {allowed:,}"
            )
        return Stage(
            name="compile",
            status="fail" if spilling else "pass",
            message=text,
            kernels=kernels,
            notes=notes,
        )


def _notes(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Offsets that may leave int32; right in any tensor that fits into a test."""
    lines = sorted({line for outcome in outcomes for line in outcome.narrow})
    if not lines:
        return ()
    where = f"line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}"
    return (
        f"Offsets in {where} are products in 32 bits: they wrap in tensors with more than 2**31 "
        "elements from end to end. Make one factor 64 bits wide: .to(tl.int64).",
    )


def _failure(failed: Sequence[Raised], target: str) -> Stage:
    """The first error; the others are mostly the same at other constants."""
    return Stage(
        name="compile",
        status="fail",
        message=(
            f"Your kernel does not compile for a GPU ({target}). Triton's interpreter runs it as "
            "Python, which allows more."
        ),
        raised=sanitised_exception(failed[0]),
    )


def covering(launches: Sequence[Launch]) -> list[Launch]:
    """A few launches in which every type of a parameter and every value of a constant occurs; of
    numbers the smallest and the largest."""
    features = [_features(launch, launches) for launch in launches]
    missing = set().union(*features)
    chosen: list[Launch] = []
    while missing and len(chosen) < MOST:
        place = max(range(len(launches)), key=lambda at: len(features[at] & missing))
        missing -= features[place]
        chosen.append(launches[place])
    return chosen


def _features(launch: Launch, launches: Iterable[Launch]) -> set[Feature]:
    found = {
        (launch.kernel, name, kind) for name, kind in launch.types.items() if kind != "constexpr"
    }
    for name, value in launch.constants.items():
        number = _number(value)
        if number is None:
            found.add((launch.kernel, name, repr(value)))
            continue
        others = [
            other
            for each in launches
            if each.kernel == launch.kernel and name in each.constants
            for other in [_number(each.constants[name])]
            if other is not None
        ]
        for kind, extreme in (("smallest", min(others)), ("largest", max(others))):
            if number == extreme:
                found.add((launch.kernel, name, kind))
    return found


def _number(value: Value) -> float | None:
    number = value.value
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None
