"""One interface to the meters of every runtime."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import TYPE_CHECKING, Any

from quizprep.worker import protocol
from quizprep.worker.backends import Array, Backend, Function, Memory, outputs_of
from quizprep.worker.learner import lines

if TYPE_CHECKING:
    from quizprep.worker.learner import host_arrays, torch_meters


class Instruments:
    """The meters of one runtime, imported before the submission is loaded."""

    def __init__(self, runtime: str, path: str = "") -> None:
        """``path`` is the submission's file, for the cost of its lines."""
        self.runtime = runtime
        self._path = path
        self.work: tuple[protocol.LineWork, ...] = ()
        self.moments: tuple[protocol.Moment, ...] = ()
        """Of the last call that was metered, by line."""
        self._numpy_work: host_arrays.HostArrays | None = None
        self.bounded: tuple[str, ...] = ()
        """The operations of the last metered call whose work is an upper bound."""
        if runtime == "numpy":
            from quizprep.worker.learner import numpy_meters

            self._numpy = numpy_meters
            return

        from quizprep.worker.learner import (
            allocator_events,
            host_arrays,
            torch_bans,
            torch_meters,
        )

        self._torch, self._allocator = torch_meters, allocator_events
        self._host_arrays = host_arrays
        self._ban = torch_bans
        if runtime == "triton":
            from quizprep.worker.learner import launches, memcheck, triton_meters

            self._triton, self._memcheck, self._launches = triton_meters, memcheck, launches

    def ban_library_attention(self) -> Any:
        """Ban the library's own attention in this process; None in a runtime without any."""
        return None if self.runtime == "numpy" else self._ban.AttentionBan()

    def follow_numpy(self) -> None:
        """Count what is done in numpy, from now on in this process."""
        if self.runtime == "numpy":
            self._numpy.keep_counting()
        else:
            self._numpy_work = self._host_arrays.HostArrays()

    def _counted(self, meters: torch_meters.Meters) -> AbstractContextManager[None]:
        """Counts numpy's work on tensors there, too."""
        return self._numpy_work.counted(meters) if self._numpy_work else nullcontext()

    def memcheck(
        self, order: protocol.Call, backend: Backend, memory: Memory, path: str
    ) -> AbstractContextManager[Any]:
        """A check of the memory accesses of kernels in a call; None if the call is metered or no
        kernel is interpreted."""
        if self.runtime != "triton" or order.meter or backend.name == "cuda":
            return nullcontext()
        checker = self._memcheck.AccessChecker(memory, order.args, backend.itemsize, path)
        return checker.active(order.as_gpu)

    def record_launches(self, backend: Backend, path: str) -> Any:
        """Begin to note how kernels of the file are launched; None if none is interpreted."""
        if self.runtime != "triton" or backend.name == "cuda":
            return None
        recorder = self._launches.LaunchRecorder(path)
        recorder.install()
        return recorder

    def recording(self, recorder: Any, order: protocol.Call) -> AbstractContextManager[Any]:
        """Notes the launches of a call, unless it is metered."""
        modes = {"": "run", "launch": "launch"}
        if recorder is None or order.meter not in modes or order.candidate >= 0:
            return nullcontext()
        return recorder.active(modes[order.meter])

    def start_threads(self) -> None:
        """Start the one thread that a meter needs: confined, the process can start none."""
        if self.runtime == "torch":
            self._allocator.peak_by_profiler(lambda: None, lambda _: [])

    def session(self, by_line: bool = False) -> Any:
        """Meters that follow storages from one call to the next; for numpy only by line."""
        if self.runtime == "numpy":
            return lines.Recorder(self._path) if by_line else None
        return self._torch.Meters((), self._path if by_line else "")

    def differentiated(
        self, entry: Function, gradients: Sequence[int], cotangents: Sequence[Array]
    ) -> Function:
        """The entry with the gradients of its weighted outputs behind its outputs (torch only)."""
        return self._torch.differentiated(entry, gradients, cotangents)

    def seal(self) -> TamperSeal:
        """A seal of everything that a submission would have to patch in order to forge a
        reading."""
        if self.runtime == "numpy":
            numpy = self._numpy
            return TamperSeal((numpy, numpy.CountingArray, lines.Recorder, tracemalloc))
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode

        owners: list[type | ModuleType] = [
            self._torch,
            self._torch.Meters,
            lines.Recorder,
            self._torch.DispatchMode,
            TorchDispatchMode,
            torch.Tensor,
            torch.UntypedStorage,
        ]
        if self.runtime == "triton":
            from triton.runtime.interpreter import InterpretedFunction, InterpreterBuilder

            owners += [self._triton, self._triton.KernelCounters, InterpreterBuilder]
            owners += [self._launches, self._launches.LaunchRecorder, InterpretedFunction]
        return TamperSeal(owners)

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
            return [value for value in outputs_of(result) if backend.is_array(value)]

        self.work, self.moments = (), ()
        match self.runtime, meter:
            case _, "":
                return entry(*args), {}
            case "numpy", "count":
                return self._numpy.count_flops(entry, args, lines.Recorder())
            case "numpy", "lines" | "session lines":
                recorder = session or lines.Recorder(self._path)
                result, readings = self._numpy.count_flops(entry, args, recorder)
                self.work = recorder.shares()
                self.moments = self._numpy.moments(recorder, arrays(result))
                return result, readings
            case "numpy", _:
                return self._numpy.peak_bytes(lambda: entry(*args), arrays)
            case _, "profile" | "allocations" if backend.name == "cuda":  # unseen: only on a GPU
                result, peak = self._torch.peak_by_allocator(lambda: entry(*args), arrays)
                return result, {"peak_bytes": peak}
            case _, "profile" | "allocations":
                path = self._path if meter == "allocations" else ""
                result, peak, self.moments = self._allocator.peak_by_profiler(
                    lambda: entry(*args), arrays, path
                )
                return result, {"peak_bytes": peak}
            case "triton", "launch":
                return entry(*args), {}
            case "triton", _:
                return self._measure_kernels(entry, args, arrays, meter == "lines")
        counted = session or self._torch.Meters((), self._path if meter == "lines" else "")
        counted.begin(self._torch.tensors_in(args))
        with counted, self._counted(counted):
            result = entry(*args)
        readings = counted.readings(arrays(result))
        self.bounded = tuple(sorted(counted.bounded)[: protocol.MAX_BOUNDED])
        if counted.ledger is not None:
            self.work, self.moments = counted.shares(), counted.told()
        return result, readings

    def _measure_kernels(
        self,
        entry: Function,
        args: Sequence[Array],
        arrays: Callable[[Array], list[Array]],
        by_line: bool,
    ) -> tuple[Array, dict[str, int]]:
        """Kernels are counted in the interpreter's builder; memory, and work outside kernels, by
        the host's tensors. The small tensors that the interpreter makes while it stages arguments
        share their storage with the arguments, so they do not count as allocations."""
        with self._triton.counting(self._path if by_line else "") as counted:
            host = self._torch.Meters(self._torch.tensors_in(args))
            with host, self._counted(host):
                result = entry(*args)
            found = host.readings(arrays(result))
        if counted.ledger is not None:
            self.work = counted.ledger.shares()
        memory = {name: found[name] for name in ("peak_bytes", "held_bytes")}
        work = found["flops"] + found["elementwise"]
        return result, {**memory, "host_work": work, **counted.readings()}


class TamperSeal:
    """A record of the meters' attributes, taken before the submission is loaded.

    A submission shares its process with the meters, so it can patch them; the record is compared
    when a reading is taken. It is one of several defences: readings are also compared with work
    floors and with the witnesses outside.
    """

    def __init__(self, owners: Iterable[type | ModuleType]) -> None:
        self._sealed = tuple((owner, dict(vars(owner))) for owner in owners)

    def first_change(self) -> str:
        """The name of the first attribute that is another object now, or ""."""
        for owner, sealed in self._sealed:
            now = vars(owner)
            for name in sealed.keys() | now.keys():
                if now.get(name) is sealed.get(name) or _is_bookkeeping(name):
                    continue
                # A new name does nothing, unless it overrides an inherited one.
                bases = owner.__mro__[1:] if isinstance(owner, type) else ()
                if name in sealed or any(name in vars(base) for base in bases):
                    return f"{owner.__name__}.{name}"
        return ""


def _is_bookkeeping(name: str) -> bool:
    """Whether classes and modules change this attribute by themselves."""
    return name.startswith("__") and name not in ("__torch_dispatch__", "__torch_function__")
