"""The meters of a runtime behind one face: what a call costs, by the means its runtime has."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

from quizprep.worker import protocol
from quizprep.worker.backends import Array, Backend, Function, Memory
from quizprep.worker.learner.tamper_seal import Seal


class Instruments:
    """The meters of a runtime, imported before the submission is loaded."""

    def __init__(self, runtime: str) -> None:
        self.runtime = runtime
        if runtime == "numpy":
            from quizprep.worker.learner import numpy_meters

            self._numpy = numpy_meters
            return

        from quizprep.worker.learner import attention_ban, torch_meters

        self._torch = torch_meters
        self._ban = attention_ban
        if runtime == "triton":
            from quizprep.worker.learner import memcheck, triton_meters

            self._triton, self._memcheck = triton_meters, memcheck

    def ban_library_attention(self) -> Any:
        """Switch it off in this process; None in a runtime that has none."""
        return None if self.runtime == "numpy" else self._ban.Ban()

    def memcheck(
        self, order: protocol.Call, backend: Backend, memory: Memory, path: str
    ) -> AbstractContextManager[Any]:
        """What watches the accesses of kernels in a call; nothing where it is metered, or where
        nothing is interpreted."""
        if self.runtime != "triton" or order.meter or backend.name == "cuda":
            return nullcontext()
        return self._memcheck.Bounds(memory, order.args, backend.itemsize, path)

    def warm(self) -> None:
        """Start the one thread that a meter needs, because threads are refused later."""
        if self.runtime == "torch":
            self._torch.peak_by_profiler(lambda: None, lambda _: [])

    def session(self) -> Any:
        """Meters that follow storages from one call to the next; None for numpy."""
        return None if self.runtime == "numpy" else self._torch.Meters(())

    def differentiated(
        self, entry: Function, gradients: Sequence[int], cotangents: Sequence[Array]
    ) -> Function:
        """The entry with the gradients of its weighted outputs behind them (torch only)."""
        return self._torch.differentiated(entry, gradients, cotangents)

    def seal(self) -> Seal:
        """What a submission would have to patch in order to forge a reading."""
        if self.runtime == "numpy":
            return Seal((self._numpy, self._numpy.CountingArray, tracemalloc))
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode

        owners: list[type | ModuleType] = [
            self._torch,
            self._torch.Meters,
            TorchDispatchMode,
            torch.Tensor,
            torch.UntypedStorage,
        ]
        if self.runtime == "triton":
            from triton.runtime.interpreter import InterpreterBuilder

            owners += [self._triton, self._triton.Traffic, InterpreterBuilder]
        return Seal(owners)

    def measure(
        self,
        entry: Function,
        args: Sequence[Array],
        meter: str,
        backend: Backend,
        session: Any = None,
    ) -> tuple[Array, dict[str, int]]:
        """Call the entry under a meter of `protocol.Call`; returns (result, readings).

        ``session`` are the meters of a script of calls, for the meter of that name. The judge
        measures the solution with this same function, in its own process.
        """

        def arrays(result: Array) -> list[Array]:
            places = result if isinstance(result, tuple | list) else (result,)
            return [value for value in places if backend.is_array(value)]

        match self.runtime, meter:
            case _, "":
                return entry(*args), {}
            case "numpy", "count":
                return self._numpy.count_flops(entry, args)
            case "numpy", _:
                return self._numpy.peak_bytes(lambda: entry(*args), arrays)
            case _, "profile":
                on_gpu = backend.name == "cuda"
                peak_of = self._torch.peak_by_allocator if on_gpu else self._torch.peak_by_profiler
                result, peak = peak_of(lambda: entry(*args), arrays)
                return result, {"peak_bytes": peak}
            case "triton", _:
                return self._measure_kernels(entry, args, arrays)
        counted = session or self._torch.Meters(())
        counted.begin(self._torch.tensors_in(args))
        with counted:
            result = entry(*args)
        return result, counted.readings(arrays(result))

    def _measure_kernels(
        self, entry: Function, args: Sequence[Array], arrays: Callable[[Array], list[Array]]
    ) -> tuple[Array, dict[str, int]]:
        """Traffic from the interpreter's builder; memory, and the work outside kernels, from the
        host's tensors. The interpreter makes and drops small tensors while it stages arguments;
        they share their storage with what was passed, so they are no births."""
        with self._triton.counting() as counted:
            host = self._torch.Meters(self._torch.tensors_in(args))
            with host:
                result = entry(*args)
            found = host.readings(arrays(result))
        memory = {name: found[name] for name in ("peak_bytes", "held_bytes")}
        work = found["flops"] + found["elementwise"]
        return result, {**memory, "host_work": work, **counted.readings()}
