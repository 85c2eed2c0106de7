"""In a Triton exercise, the work is to be done in kernels, and by kernels that the meters see."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from quizprep.formula import parse
from quizprep.worker import protocol
from quizprep.worker.arena import PlacedInputs
from quizprep.worker.backends import Backend
from quizprep.worker.judge.phase_readings import Readings
from quizprep.worker.judge.solution_cost import NEEDED_WORK

HOST_WORK = 4
"""In a Triton exercise, operations outside kernels that are allowed per input element."""

KERNEL_WORK = 4
"""In a Triton exercise, the kernels must do at least the reference's arithmetic divided by this.
The solution's would be too much: its tiles may be padded."""


MOVED_SHARE = 0.9
"""Kernels must move at least this share of the data: inputs are read and outputs written once."""


DATA = "data_bytes"
"""The reading of the bytes of the inputs and outputs."""


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


def data_bytes(backend: Backend, placed: PlacedInputs, reply: protocol.Reply) -> int:
    """The bytes of the inputs and of the outputs of a call."""
    tensors = (at for at in placed.args if isinstance(at, protocol.TensorAt))
    read = sum(math.prod(at.shape) * backend.itemsize(at.dtype) for at in tensors)
    # The blob of outputs begins with the length of its header, in eight bytes.
    header = 8 + int.from_bytes(reply.tensors[:8], "little")
    return read + max(len(reply.tensors) - header, 0)


def check_kernel_work(readings: Readings, solution: Readings) -> None:
    """Raises CostFailed if the kernels do too little: their work was then done elsewhere,
    unmetered."""
    work, wanted = readings.get("kernel_work", 0), solution.get(NEEDED_WORK, 0)
    if work * KERNEL_WORK < wanted:
        raise CostFailed(
            f"Your kernels do {work:,} operations at the largest size, and the task takes "
            f"{wanted:,}: the work belongs into kernels."
        )


def check_traffic(
    samples: Sequence[Readings], sizes: Sequence[Mapping[str, int]], solution: str
) -> None:
    """Raises CostFailed if the kernels move less than the data: these were then read elsewhere.
    ``solution`` is the formula of the bytes that the solution moves, or ""."""
    # Of a pool of pages some may belong to nobody: the solution does not read these.
    formula = parse(solution).expand() if solution else None
    for readings, there in zip(samples, sizes, strict=True):
        moved, data = readings.get("moved_bytes", 0), readings.get(DATA, 0)
        if formula is not None:
            data = min(data, int(formula.evaluate(there)))
        if moved < MOVED_SHARE * data:
            raise CostFailed(
                f"Your kernels move {moved:,} bytes where inputs and outputs have {data:,}: what "
                "a kernel works on must be loaded by it."
            )
