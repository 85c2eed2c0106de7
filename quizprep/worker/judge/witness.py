"""One large call, watched from outside: what the process used that the meters did not see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quizprep.grading.verdict import Params
from quizprep.worker import process_stats, protocol
from quizprep.worker.arena import PlacedInputs
from quizprep.worker.judge.channel import Channel, LearnerGone


@dataclass(frozen=True)
class LearnerProcess:
    """The learner as seen from outside: process id, descriptor of the arena, scratch folder."""

    pid: int
    memory: int
    scratch: str


@dataclass(frozen=True)
class WatchedCall:
    """The learner's process over one large call, measured from outside, in bytes unless noted.

    growth           of resident memory during the call
    sending_growth   of resident memory until the outputs were sent
    retained         memory that the process has gained since before the submission was loaded, as
                     far as the call accessed it
    written          to files, and to shared memory outside the inputs
    cpu_time         of the call, in nanoseconds; 0 where the system does not report it
    solution_time    the same for the solution, in the judge's process
    metered          the call's peak according to the meters
    outputs          size of the outputs
    """

    params: Params
    growth: int
    sending_growth: int = 0
    retained: int = 0
    written: int = 0
    cpu_time: int = 0
    solution_time: int = 0
    metered: int = 0
    outputs: int = 0


class ProcessWatch:
    """Watches the learner's process; made before the submission is loaded."""

    def __init__(self, process: LearnerProcess, channel: Channel) -> None:
        self._process = process
        self._channel = channel
        if process_stats.private_bytes(process.pid) is not None:
            channel.trim_memory()
        self._initial = process_stats.private_bytes(process.pid)

    @property
    def available(self) -> bool:
        """Whether this system shows the resident memory of another process at all."""
        return self._initial is not None and process_stats.reset_peak(self._process.pid) is not None

    def call(
        self, params: Params, placed: PlacedInputs, check: Callable[[protocol.Reply], None]
    ) -> WatchedCall:
        """Call with these inputs, of size ``params``, and measure the process before and after.

        ``check`` examines the outputs. Raises LearnerGone, also if the process ends in between.
        """
        pid = self._process.pid
        self._channel.trim_memory()
        before_call = self._alive(process_stats.private_bytes(pid))
        retained = before_call - (self._initial or 0)
        before = self._alive(process_stats.reset_peak(pid))
        process_stats.forget_accesses(pid)
        time_before = process_stats.cpu_time(pid)
        number = self._channel.start_call(placed, defer_outputs=True)
        reply = self._channel.receive(number)
        cpu_time = process_stats.cpu_time(pid) - time_before
        during = self._alive(process_stats.peak_resident(pid))
        accessed = process_stats.accessed_bytes(pid)
        freed = before_call - self._alive(process_stats.private_bytes(pid))
        if not (reply.raised or reply.banned):
            reply = self._channel.fetch(number)
        after = self._alive(process_stats.peak_resident(pid))
        check(reply)
        inputs = self._channel.high_water_mark
        if accessed is not None:
            # Loaded modules, and tables of which the call reads a part, are no working memory. What
            # was accessed is new, or was there before; of the latter some may have been freed.
            retained = min(retained, accessed + freed)
        in_arena = process_stats.memfd_bytes(self._process.memory)
        return WatchedCall(
            params=params,
            growth=during - before,
            sending_growth=after - before,
            retained=max(retained - inputs, 0),
            written=process_stats.folder_bytes(self._process.scratch) + max(in_arena - inputs, 0),
            cpu_time=max(cpu_time, 0),
        )

    def _alive(self, reading: int | None) -> int:
        if reading is None:
            raise LearnerGone("ended before its memory could be read")
        return reading
