"""Cost of torch code without a clock: flops, bytes alive, bytes moved, operations.

A dispatch mode intercepts every operation below autograd and counts it. Memory is tracked by
storage: the new storages of an operation are allocations, freed when Python releases them.
Temporaries inside an operation are invisible to the mode; `peak_by_profiler` sees them in the
allocator's own events, but is expensive, so it is used at a few points only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch._ops import OpOverload
from torch.autograd.graph import _engine_run_backward
from torch.utils._python_dispatch import TorchDispatchMode

from quizprep.worker.backends import Function, outputs_of
from quizprep.worker.learner.lines import NUMBER, Event, Recorder
from quizprep.worker.learner.torch_operators import Kind, Result, bound, operation, placed
from quizprep.worker.protocol import Moment


class DispatchMode(TorchDispatchMode):
    """A dispatch mode that does not import torch._dynamo, which takes a second."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class Meters(DispatchMode, Recorder):
    """Counts while it is active. Read it with ``readings`` afterwards.

    It runs for every operation of the submission, so it is written for speed: an operation is
    classified once, and views are not counted.
    """

    def __init__(self, inputs: Iterable[torch.Tensor], path: str = "") -> None:
        """``path`` is the submission's file, for its lines; without it none are told apart."""
        DispatchMode.__init__(self)
        Recorder.__init__(self, path)
        self.bounded: set[str] = set()
        """The operations whose work is an upper bound, by name."""
        self._returned: dict[int, int] = {}
        """By allocation, the bytes of it that were returned."""
        self._known: set[int] = set()
        self._live: dict[int, tuple[int, weakref.ref[torch.UntypedStorage]]] = {}
        self._inputs: list[tuple[weakref.ref[torch.UntypedStorage], int]] = []
        self.begin(inputs)

    def begin(self, inputs: Iterable[torch.Tensor]) -> None:
        """Begin a call: reset the counters and set the inputs. Storages of earlier calls are still
        tracked, so that a cache that replaces its buffer is seen to free the old one."""
        self.begin_call()
        self._inputs = [(weakref.ref(x.untyped_storage()), x.nbytes) for x in inputs]
        self._known = {storage._cdata for ref, _ in self._inputs if (storage := ref())}

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: Sequence[Result] = (),
        kwargs: Mapping[str, Result] | None = None,
    ) -> Result:
        kind, detail, _ = operation(func)
        if kind == Kind.INSIDE:
            # In inference mode autograd, which splits an operation up otherwise, is skipped: a
            # matmul arrives here whole, as an operator of the submission's own does always. What
            # they consist of is counted.
            with self:
                return func._op_dk(detail, *args, **(kwargs or {}))
        if kind == Kind.VIEW:
            return func(*args, **kwargs) if kwargs else func(*args)
        ledger = self.ledger
        if ledger is not None:
            self.place = (*ledger.here(), func.__name__)
            out = self.run(func, args, kwargs)
        else:
            out = func(*args, **kwargs) if kwargs else func(*args)
        self.calls += 1
        given: list[torch.Tensor] = []
        for value in args:
            if isinstance(value, torch.Tensor):
                given.append(value)
            elif isinstance(value, list | tuple):
                given += tensors_in(value)
        moved = produced = 0
        for tensor in (out,) if isinstance(out, torch.Tensor) else tensors_in(out):
            size = tensor.numel()
            produced += size
            if self._born(tensor, given):
                moved += size * tensor.itemsize
        largest = produced
        for tensor in given:
            size = tensor.numel()
            moved += size * tensor.itemsize
            if size > largest:
                largest = size
        if kwargs:
            for tensor in tensors_in(kwargs):
                moved += tensor.nbytes
        if kind == Kind.PLACES:
            moved -= args[0].nbytes - placed(detail, args) * args[0].itemsize
        flops = elementwise = 0
        if kind == Kind.PRODUCT:
            flops = 2 * produced * args[detail].shape[-1]
        elif kind == Kind.ELEMENTWISE:
            # A product of complex numbers takes six operations.
            complex_ = isinstance(out, torch.Tensor) and out.is_complex()
            elementwise = largest * detail * (6 if complex_ else 1)
        elif kind == Kind.FORMULA:
            flops = int(detail(*args, **(kwargs or {}), out_val=out))
        elif kind == Kind.BOUND:
            flops = bound([*given, *tensors_in(kwargs)], produced)
            self.bounded.add(detail)
        self.moved += moved
        self.flops += flops
        self.elementwise += elementwise
        if ledger is not None:
            ledger.add(self.place[0], flops, elementwise, moved)
        return out

    def run(
        self, func: OpOverload, args: Sequence[Result], kwargs: Mapping[str, Result] | None
    ) -> Result:
        """Run one operation, whose place is known."""
        return func(*args, **kwargs) if kwargs else func(*args)

    def _born(self, tensor: torch.Tensor, given: Iterable[torch.Tensor]) -> bool:
        """Whether this output has a storage that did not exist before.

        A storage shared with an argument was allocated before anything was metered, as a buffer
        made in
        ``__init__`` may be.
        """
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._known or key in self._live:
            return False
        for other in given:
            if other.untyped_storage()._cdata == key:
                self._known.add(key)
                return False
        size = storage.nbytes()
        # A single number is no memory that a formula should tell of.
        self._follow(storage, 0 if size <= NUMBER and tensor.dim() == 0 else size)
        return True

    def _follow(self, storage: torch.UntypedStorage, size: int) -> None:
        """Record an allocation now, and its release when Python frees the storage."""
        key = storage._cdata
        serial, events, live = self.allocate(size), self.events, self._live

        def died(_: object) -> None:
            events.append(Event(serial, -size))
            del live[key]

        live[key] = (serial, weakref.ref(storage, died))

    def retained_inputs(self, result: Result) -> int:
        """The bytes of inputs that are still referenced after the caller has dropped them.

        A cache that retains its inputs without a copy holds their memory all the same. A result
        that is a
        view of an input does not count.
        """
        returned = {tensor.untyped_storage()._cdata for tensor in tensors_in(result)}
        retained = 0
        for ref, size in self._inputs:
            storage = ref()
            if storage is not None and storage._cdata not in returned | self._live.keys():
                self._follow(storage, size)
                retained += size
        self._inputs.clear()
        return retained

    def readings(self, outputs: Iterable[torch.Tensor]) -> dict[str, int]:
        """The counters. Peak and held bytes exclude the inputs and the bytes of the outputs."""
        returned: dict[int, int] = {}
        for tensor in outputs:
            storage = tensor.untyped_storage()
            # torch.from_numpy returns the memory of an array.
            found = self._live.get(storage._cdata)
            serial = found[0] if found is not None else self.array_at(storage.data_ptr())
            if serial is not None:
                returned[serial] = returned.get(serial, 0) + tensor.nbytes
        self._returned = returned
        peak, held = peak_of(self.events, returned)
        return {
            "flops": self.flops,
            "elementwise": self.elementwise,
            "moved_bytes": self.moved,
            "calls": self.calls,
            "peak_bytes": peak,
            "held_bytes": held,
        }

    def told(self) -> tuple[Moment, ...]:
        """`moments` of the call whose readings were taken."""
        return self.moments(self._returned)


def peak_of(events: Iterable[Event], returned: Mapping[int, int]) -> tuple[int, int]:
    """Peak and final bytes alive over a history of allocations (+) and frees (-).

    ``returned`` maps an allocation to the bytes of it that were returned, which do not count.
    """
    alive = peak = 0
    for serial, size, *_ in events:
        counted = max(abs(size) - returned.get(serial, 0), 0)
        alive += counted if size > 0 else -counted
        peak = max(peak, alive)
    return peak, alive


def tensors_in(value: Result) -> list[torch.Tensor]:
    """The tensors in a value, lists and dicts included."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors_in(item)]
    if isinstance(value, dict):
        return [tensor for item in value.values() for tensor in tensors_in(item)]
    return []


def differentiated(
    entry: Function, gradients: Sequence[int], cotangents: Sequence[torch.Tensor]
) -> Function:
    """A function that returns the entry's outputs and, behind them, gradients.

    gradients   places of the arguments to differentiate by
    cotangents  the weight of each output, in its shape and dtype
    """

    def call(*args: Result) -> tuple[Result, ...]:
        inputs = list(args)
        for place in gradients:
            inputs[place] = inputs[place].detach().requires_grad_()
        result = entry(*inputs)
        outputs = outputs_of(result)
        # An output that depends on no input, such as zeros for an empty batch, has no gradient.
        reached = [
            (output, weight)
            for output, weight in zip(outputs, cotangents, strict=False)
            if output.requires_grad
        ]
        found: Sequence[torch.Tensor | None] = [None] * len(gradients)
        if reached:
            # torch.autograd.grad ends in this call, but imports 500 modules first.
            found = _engine_run_backward(
                tuple(output for output, _ in reached),
                tuple(weight for _, weight in reached),
                False,
                False,
                tuple(inputs[place] for place in gradients),
                allow_unreachable=True,
                accumulate_grad=False,
            )
        zeros = (torch.zeros_like(inputs[place]) for place in gradients)
        filled = (z if g is None else g for g, z in zip(found, zeros, strict=True))
        return (*(output.detach() for output in outputs), *filled)

    return call


def peak_by_allocator(  # unseen: only on a GPU
    call: Callable[[], Result], read: Callable[[Result], list[torch.Tensor]]
) -> tuple[Result, int]:
    """Run ``call`` on a GPU; returns (result, peak_bytes) from the allocator's statistics.

    The allocator rounds blocks up to 512 bytes. Never run: no GPU was at hand.
    """
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    result = call()
    torch.cuda.synchronize()
    returned = sum(tensor.nbytes for tensor in read(result))
    return result, max(int(torch.cuda.max_memory_allocated()) - before - returned, 0)
