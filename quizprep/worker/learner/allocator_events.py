"""Peaks with the temporaries inside operations, from the allocator's own events.

A dispatch mode sees the storages of results only. The profiler records every allocation; a label
around each operation says which one made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from types import ModuleType
from typing import NamedTuple

import torch
from torch._ops import OpOverload

from quizprep.worker.learner.lines import NUMBER, Event, moments
from quizprep.worker.learner.torch_meters import Meters, peak_of, tensors_in
from quizprep.worker.learner.torch_operators import Result
from quizprep.worker.protocol import Moment

LABEL = "quizprep:"


class Operation(NamedTuple):
    """The operation that is running: its number in the call, and its place."""

    call: int
    place: tuple[int, int, str]


OUTSIDE = Operation(-1, (0, 0, ""))


class Labels(Meters):
    """A mode that labels each operation with its place, for the profiler."""

    def __init__(self, inputs: Iterable[torch.Tensor], path: str) -> None:
        """``path`` is the submission's file."""
        self.numbers: dict[int, list[int]] = {}
        """By the number of an operation that was given numbers, the addresses of those that are
        tensors."""
        super().__init__(inputs, path)

    def run(
        self, func: OpOverload, args: Sequence[Result], kwargs: Mapping[str, Result] | None
    ) -> Result:
        line, instruction, name = self.place
        # A number that torch makes into a tensor is no memory that a formula should tell of.
        given = [x.data_ptr() for x in tensors_in(args) if x.dim() == 0]
        if given or any(isinstance(value, int | float) for value in args):
            self.numbers[self.calls] = given
        with torch._C._profiler._RecordFunctionFast(
            f"{LABEL}{self.calls}:{line}:{instruction}:{name}"
        ):
            return super().run(func, args, kwargs)


def peak_by_profiler(
    call: Callable[[], Result], read: Callable[[Result], list[torch.Tensor]], path: str = ""
) -> tuple[Result, int, tuple[Moment, ...]]:
    """Run ``call`` while recording the allocator's events; returns (result, peak in bytes, the
    moments at which much was alive by the lines of the file at ``path``).

    ``read`` lists the tensors of a result, which do not count.
    """
    profiler_module: ModuleType = torch.autograd.profiler
    labels = Labels((), path) if path else nullcontext()
    given = labels.numbers if isinstance(labels, Labels) else {}
    with profiler_module.profile(use_kineto=True, profile_memory=True) as profile, labels:
        result = call()
    pointers = {tensor.untyped_storage().data_ptr(): tensor.nbytes for tensor in read(result)}
    history: list[tuple[int, int, int, Operation]] = []
    stack = [(event, OUTSIDE) for event in profile.kineto_results.experimental_event_tree()]
    while stack:
        event, operation = stack.pop()
        if event.name.startswith(LABEL):
            number, line, instruction, name = event.name.removeprefix(LABEL).split(":", 3)
            operation = Operation(int(number), (int(line), int(instruction), name))
            history.append((event.start_time_ns, 0, 0, operation))
        stack.extend((child, operation) for child in event.children)
        fields = event.extra_fields
        if hasattr(fields, "alloc_size"):
            history.append((event.start_time_ns, fields.ptr, fields.alloc_size, operation))
    history.sort(key=lambda item: item[0])
    # Addresses are reused after a storage is freed, so allocations are numbered. The allocation
    # that is live at a returned tensor's address when the call ends is that tensor.
    events: list[Event] = []
    current: dict[int, int] = {}
    numbers: set[int] = set()
    begun, before = 0, dict[int, int]()
    """Operations begun so far, and when each allocation was made."""
    for serial, (_, pointer, size, operation) in enumerate(history):
        if size == 0:
            begun += 1
            numbers |= {current[at] for at in given.get(operation.call, ()) if at in current}
        elif size > 0:
            current[pointer] = serial
            before[serial] = begun
            events.append(Event(serial, size, operation.place, operation.call))
        elif pointer in current:
            ended = current.pop(pointer)
            events.append(Event(ended, size))
            made = history[ended][3]
            # A number that was made into a tensor for one operation, before it or inside.
            inside = made is operation and operation.call in given
            if -size <= NUMBER and (inside or (made is OUTSIDE and begun - before[ended] <= 1)):
                numbers.add(ended)
    events = [event for event in events if event.serial not in numbers]
    returned = {
        serial: pointers[pointer] for pointer, serial in current.items() if pointer in pointers
    }
    return result, peak_of(events, returned)[0], moments(events, returned) if path else ()
