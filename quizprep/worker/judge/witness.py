"""One large call watched from outside: what the process took that the meters did not see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quizprep.grading.verdict import Params
from quizprep.worker import arena, process_stats, protocol
from quizprep.worker.judge.channel import Channel, LearnerGone


@dataclass(frozen=True)
class Subject:
    """The learner as seen from outside: process id, descriptor of the arena, scratch folder."""

    pid: int
    memory: int
    folder: str


@dataclass(frozen=True)
class Watched:
    """The learner's process over one large call, read from outside; bytes.

    growth   over the call; ``sending`` also while its outputs were sent
    kept     what the process had kept since before the submission was loaded
    written  what it wrote into files and into shared memory that is not an input
    worked   nanoseconds of processor time of the call; 0 where the system does not tell.
             ``solution_worked`` is what the solution takes for it, in the judge's process
    metered  what the meters say that the call needed at its peak
    outputs  the size of the outputs
    """

    params: Params
    growth: int
    sending: int = 0
    kept: int = 0
    written: int = 0
    worked: int = 0
    solution_worked: int = 0
    metered: int = 0
    outputs: int = 0


class Watch:
    """Made before the submission is loaded; what is kept is counted from then."""

    def __init__(self, subject: Subject, channel: Channel) -> None:
        self._subject = subject
        self._channel = channel
        if process_stats.resting(subject.pid) is not None:
            channel.rest()
        self._born = process_stats.resting(subject.pid)

    @property
    def available(self) -> bool:
        """Whether this system shows resident memory of another process at all."""
        return self._born is not None and process_stats.reset_peak(self._subject.pid) is not None

    def call(
        self, params: Params, laid: arena.Laid, check: Callable[[protocol.Reply], None]
    ) -> Watched:
        """Call with these inputs, of this size, and read the process before and after.

        ``check`` looks at the outputs. Raises LearnerGone, also when the process ended in between.
        """
        pid = self._subject.pid
        self._channel.rest()
        kept = self._now(process_stats.resting(pid)) - (self._born or 0)
        before = self._now(process_stats.reset_peak(pid))
        idle = process_stats.processor_time(pid)
        number = self._channel.order(laid, hold=True)
        reply = self._channel.answer(number)
        worked = process_stats.processor_time(pid) - idle
        during = self._now(process_stats.peak(pid))
        if not (reply.raised or reply.refused):
            reply = self._channel.fetch(number)
        after = self._now(process_stats.peak(pid))
        check(reply)
        inputs = self._channel.laid_bytes
        return Watched(
            params=params,
            growth=during - before,
            sending=after - before,
            kept=max(kept - inputs, 0),
            written=process_stats.written(self._subject.folder)
            + max(process_stats.shared(self._subject.memory) - inputs, 0),
            worked=max(worked, 0),
        )

    def _now(self, reading: int | None) -> int:
        if reading is None:
            raise LearnerGone("ended before its memory could be read")
        return reading
