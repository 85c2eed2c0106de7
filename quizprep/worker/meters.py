"""Cost of torch code without a clock: flops, bytes alive, bytes moved, operations.

A dispatch mode sees every operation below autograd and counts it. Memory is followed by
storage: an operation's new storages are born, and die when Python lets them go. Temporaries
inside an operation are invisible there; `peak_by_profiler` reads the allocator's own events
and sees them, at a higher price, so it is asked at a few points only.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

LIBRARY_ATTENTION = (
    "scaled_dot_product_attention",
    "multi_head_attention_forward",
    "_native_multi_head_attention",
    "flex_attention",
)

# No arithmetic: these only make, move or look at values.
_FREE = frozenset(
    """
    empty empty_like empty_strided new_empty new_empty_strided zeros zeros_like new_zeros ones
    ones_like new_ones full full_like new_full fill fill_ zero_ scalar_tensor arange range eye
    copy_ clone _to_copy contiguous cat stack index index_select gather scatter scatter_
    index_put index_put_ index_copy index_copy_ slice_scatter select_scatter masked_fill
    masked_fill_ where tril triu tril_ triu_ tril_indices triu_indices lift_fresh
    lift_fresh_copy repeat flip roll constant_pad_nd set_ resize_ _local_scalar_dense item
    is_same_size equal nonzero masked_select embedding bernoulli randn rand randint normal_
    uniform_ detach_copy
    """.split()
)
_WEIGHT = {"_softmax": 5, "_log_softmax": 5, "logsumexp": 4, "_softmax_backward_data": 4}


def _load_flop_formulas() -> dict[Any, Callable[..., int]]:
    """torch's own registry of matrix-product costs, without the triton it would import."""
    masked = "triton" not in sys.modules
    if masked:
        sys.modules["triton"] = None  # type: ignore[assignment]
    try:
        from torch.utils.flop_counter import flop_registry
    finally:
        if masked:
            del sys.modules["triton"]
    return dict(flop_registry)


FLOP_FORMULAS = _load_flop_formulas()


class LibraryAttention(TorchFunctionMode):
    """Notes when a call goes through the library's own attention, however it was reached."""

    def __init__(self) -> None:
        super().__init__()
        self.used = ""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in LIBRARY_ATTENTION:
            self.used = name
        return func(*args, **(kwargs or {}))


class Meters(TorchDispatchMode):
    """Counts while it is active. Read it with ``readings`` afterwards."""

    def __init__(self, inputs: Iterable[torch.Tensor]) -> None:
        super().__init__()
        self.flops = 0
        self.elementwise = 0
        self.moved = 0
        self.calls = 0
        self.refused = ""
        self._events: list[tuple[int, int]] = []
        self._known = {_key(tensor) for tensor in inputs}
        self._live: dict[int, int] = {}
        self._serial = 0
        self._storage_serial: dict[int, int] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: the wrapper it would add imports torch._dynamo, a second and 900 modules."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func._overloadpacket.__name__
        if "scaled_dot_product" in name or name in LIBRARY_ATTENTION:
            self.refused = name
        results = [out] if isinstance(out, torch.Tensor) else _tensors(out)
        fresh = [tensor for tensor in results if self._born(tensor)]
        if not func.is_view and name != "detach":
            self._count(func, name, args, kwargs or {}, out, results, fresh)
        return out

    def _count(
        self,
        func: Any,
        name: str,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        out: Any,
        results: list[torch.Tensor],
        fresh: list[torch.Tensor],
    ) -> None:
        self.calls += 1
        sources = _tensors((args, kwargs))
        self.moved += sum(t.nbytes for t in sources) + sum(t.nbytes for t in fresh)
        formula = FLOP_FORMULAS.get(func._overloadpacket)
        if formula is not None:
            self.flops += int(formula(*args, **kwargs, out_val=out))
        elif name not in _FREE:
            size = max([t.numel() for t in results] + [t.numel() for t in sources], default=0)
            self.elementwise += size * _WEIGHT.get(name, 1)

    def _born(self, tensor: torch.Tensor) -> bool:
        """Whether this output brought a storage that was not there before."""
        key = _key(tensor)
        if key in self._known or key in self._live:
            return False
        storage = tensor.untyped_storage()
        size = storage.nbytes()
        self._serial += 1
        serial = self._serial
        self._live[key] = serial
        self._events.append((serial, size))
        weakref.finalize(storage, self._died, key, serial, size).atexit = False
        return True

    def _died(self, key: int, serial: int, size: int) -> None:
        if self._live.get(key) == serial:
            del self._live[key]
        self._events.append((serial, -size))

    def readings(self, outputs: Iterable[torch.Tensor]) -> dict[str, int]:
        """What was counted. peak and held leave out inputs and the bytes of the outputs."""
        returned: dict[int, int] = {}
        for tensor in outputs:
            serial = self._live.get(_key(tensor))
            if serial is not None:
                returned[serial] = returned.get(serial, 0) + tensor.nbytes
        peak, held = _replay(self._events, returned)
        return {
            "flops": self.flops,
            "elementwise": self.elementwise,
            "moved_bytes": self.moved,
            "calls": self.calls,
            "peak_bytes": peak,
            "held_bytes": held,
        }


def _replay(events: Iterable[tuple[Any, int]], returned: dict[Any, int]) -> tuple[int, int]:
    """The most bytes alive over a history of births (+) and deaths (-), and those at its end.

    ``returned`` maps a storage to the bytes of it that were returned, which do not count.
    """
    alive = peak = 0
    for serial, size in events:
        own = max(abs(size) - returned.get(serial, 0), 0)
        alive += own if size > 0 else -own
        peak = max(peak, alive)
    return peak, alive


def _key(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in _tensors(item)]
    if isinstance(value, dict):
        return [tensor for item in value.values() for tensor in _tensors(item)]
    return []


def peak_by_profiler(call: Callable[[], Any], read: Callable[[Any], list[torch.Tensor]]) -> Any:
    """Run ``call`` under the allocator's events; returns (result, peak_bytes).

    ``read`` gives the tensors of a result, which do not count.
    """
    profiler_module: ModuleType = torch.autograd.profiler
    with profiler_module.profile(use_kineto=True, profile_memory=True) as profile:
        result = call()
    pointers = {tensor.untyped_storage().data_ptr(): tensor.nbytes for tensor in read(result)}
    history: list[tuple[int, int, int]] = []
    stack = list(profile.kineto_results.experimental_event_tree())
    while stack:
        event = stack.pop()
        stack.extend(event.children)
        fields = event.extra_fields
        if hasattr(fields, "alloc_size"):
            history.append((event.start_time_ns, fields.ptr, fields.alloc_size))
    history.sort(key=lambda item: item[0])
    # An address is used again after its storage died, so births are numbered; what lives on
    # at a returned tensor's address when the call ends is that tensor.
    events: list[tuple[int, int]] = []
    current: dict[int, int] = {}
    for serial, (_, pointer, size) in enumerate(history):
        if size > 0:
            current[pointer] = serial
            events.append((serial, size))
        elif pointer in current:
            events.append((current.pop(pointer), size))
    returned = {
        serial: pointers[pointer] for pointer, serial in current.items() if pointer in pointers
    }
    return result, _replay(events, returned)[0]


class HostMemory(TorchDispatchMode):
    """Bytes of host tensors alive while a Triton entry runs: its working memory.

    The interpreter makes and drops small tensors while it stages arguments; they share their
    storage with what was passed, so they are no births.
    """

    def __init__(self, inputs: Iterable[torch.Tensor]) -> None:
        super().__init__()
        self._meters = Meters(inputs)
        self.host_elementwise = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        return self._meters.__torch_dispatch__(func, types, args, kwargs)

    def readings(self, outputs: Iterable[torch.Tensor]) -> dict[str, int]:
        """Peak and held bytes, and under ``host_*`` the arithmetic done outside kernels."""
        found = self._meters.readings(outputs)
        return {
            "peak_bytes": found["peak_bytes"],
            "held_bytes": found["held_bytes"],
            "host_work": found["flops"] + found["elementwise"],
        }
