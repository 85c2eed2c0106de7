"""In a Triton exercise, the work is to be done in kernels, and by kernels that the meters see."""

from __future__ import annotations

import math

from quizprep.worker import protocol
from quizprep.worker.arena import PlacedInputs
from quizprep.worker.judge.phase_readings import Readings
from quizprep.worker.judge.solution_cost import NEEDED_WORK

HOST_WORK = 4
"""In a Triton exercise, operations outside kernels that are allowed per input element."""

KERNEL_WORK = 4
"""In a Triton exercise, the kernels must do at least the reference's arithmetic divided by this.
The solution's would be too much: its tiles may be padded."""


class CostFailed(Exception):
    """Measuring ended early; the text is for the learner."""


def check_host_work(readings: Readings, placed: PlacedInputs) -> None:
    """Raises CostFailed if no kernel is launched, or work is done outside of them."""
    if readings.get("launches", 0) == 0:
        raise CostFailed("Your code launches no Triton kernel; this exercise is to write one.")
    size = sum(math.prod(a.shape) for a in placed.args if isinstance(a, protocol.TensorAt))
    if readings.get("host_work", 0) > HOST_WORK * max(size, 1):
        raise CostFailed(
            "Your code computes outside its kernels; there it may only allocate, reshape "
            "and launch."
        )


def check_kernel_work(readings: Readings, solution: Readings) -> None:
    """Raises CostFailed if the kernels do too little: their work was then done elsewhere,
    unmetered."""
    work, wanted = readings.get("kernel_work", 0), solution.get(NEEDED_WORK, 0)
    if work * KERNEL_WORK < wanted:
        raise CostFailed(
            f"Your kernels do {work:,} operations at the largest size, and the task takes "
            f"{wanted:,}: the work belongs into kernels."
        )
