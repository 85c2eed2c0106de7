"""The meters of a runtime behind one face: what a call costs, by the means its runtime has."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from quizprep.worker import protocol
from quizprep.worker.backends import Backend
from quizprep.worker.learner.tamper_seal import Seal


class Instruments:
    """The meters of a runtime, imported before the submission is loaded."""

    def __init__(self, runtime: str) -> None:
        self.runtime = runtime
        if runtime == "numpy":
            from quizprep.worker.learner import numpy_meters

            self.numpy = numpy_meters
            return

        from quizprep.worker.learner import attention_ban, torch_meters

        self.torch = torch_meters
        self.library = attention_ban
        if runtime == "triton":
            from quizprep.worker.learner import memcheck, triton_meters

            self.traffic, self.watching = triton_meters, memcheck

    def ban_library_attention(self) -> Any:
        """Switch it off in this process; None in a runtime that has none."""
        return None if self.runtime == "numpy" else self.library.Ban()

    def memcheck(
        self, order: protocol.Call, backend: Backend, memory: Any, path: str
    ) -> AbstractContextManager[Any]:
        """What watches the accesses of kernels in a call; nothing where it is metered, or where
        nothing is interpreted."""
        if self.runtime != "triton" or order.meter or backend.name == "cuda":
            return nullcontext()
        return self.watching.Bounds(memory, order.args, backend.itemsize, path)

    def warm(self) -> None:
        """Start the one thread that a meter needs, because threads are refused later."""
        if self.runtime == "torch":
            self.torch.peak_by_profiler(lambda: None, lambda _: [])

    def session(self) -> Any:
        """Meters that follow storages from one call to the next; None for numpy."""
        return None if self.runtime == "numpy" else self.torch.Meters(())

    def differentiated(
        self, entry: Callable[..., Any], gradients: Sequence[int], cotangents: Sequence[Any]
    ) -> Callable[..., Any]:
        """The entry with the gradients of its weighted outputs behind them (torch only)."""
        return self.torch.differentiated(entry, gradients, cotangents)

    def seal(self) -> Seal:
        """What a submission would have to patch in order to forge a reading."""
        if self.runtime == "numpy":
            return Seal((self.numpy, self.numpy.CountingArray, tracemalloc))
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode

        owners: list[Any] = [
            self.torch,
            self.torch.Meters,
            self.torch.HostMemory,
            self.torch.LibraryAttention,
            TorchDispatchMode,
            torch.Tensor,
            torch.UntypedStorage,
        ]
        if self.runtime == "triton":
            from triton.runtime.interpreter import InterpreterBuilder

            owners += [self.traffic, self.traffic.Traffic, InterpreterBuilder]
        return Seal(owners)


def measure(
    entry: Callable[..., Any],
    args: Sequence[Any],
    meter: str,
    instruments: Instruments,
    backend: Backend,
    session: Any = None,
) -> tuple[Any, dict[str, int], str]:
    """Call the entry under a meter; returns (result, readings, library attention used).

    ``session`` are the meters of a script of calls, for the meter of that name.

    The judge measures the solution with this same function, in its own process.
    """
    runtime = instruments.runtime
    if runtime == "numpy":
        return (*_measure_numpy(entry, args, meter, instruments), "")
    torch_meters = instruments.torch

    def tensors(result: Any) -> list[Any]:
        places = result if isinstance(result, tuple | list) else (result,)
        return [value for value in places if backend.is_array(value)]

    if meter == "profile" and backend.name == "cuda":  # unseen: only on a GPU
        result, peak = torch_meters.peak_by_allocator(lambda: entry(*args), tensors)
        return result, {"peak_bytes": peak}, ""
    if meter == "profile":
        result, peak = torch_meters.peak_by_profiler(lambda: entry(*args), tensors)
        return result, {"peak_bytes": peak}, ""
    if meter == "dispatch" and runtime == "triton":
        return (*_measure_triton(entry, args, tensors, instruments), "")
    if meter in ("dispatch", "session"):
        counted = torch_meters.Meters(()) if session is None else session
        counted.begin(torch_meters.tensors_in(args))
        with counted:
            result = entry(*args)
        return result, counted.readings(tensors(result)), counted.refused
    with torch_meters.LibraryAttention() as guard:
        result = entry(*args)
    return result, {}, guard.used


def _measure_triton(
    entry: Callable[..., Any],
    args: Sequence[Any],
    tensors: Callable[[Any], list[Any]],
    instruments: Instruments,
) -> tuple[Any, dict[str, int]]:
    """Traffic from the interpreter's builder; memory from the host's tensors."""
    with instruments.traffic.counting() as counted:
        host = instruments.torch.HostMemory([a for a in args if hasattr(a, "untyped_storage")])
        with host:
            result = entry(*args)
        memory = host.readings(tensors(result))
    return result, {**memory, **counted.readings()}


def _measure_numpy(
    entry: Callable[..., Any], args: Sequence[Any], meter: str, instruments: Instruments
) -> tuple[Any, dict[str, int]]:
    numpy_meters = instruments.numpy
    if meter in ("dispatch", "session"):

        def arrays(result: Any) -> list[Any]:
            places = result if isinstance(result, tuple | list) else (result,)
            return [value for value in places if hasattr(value, "nbytes")]

        result, readings = numpy_meters.peak_bytes(lambda: entry(*args), arrays)
        return result, dict(readings)
    if meter == "count":
        result, counted = numpy_meters.count_flops(entry, args)
        return result, dict(counted or {})
    return entry(*args), {}
