"""One interface to numpy and torch, so that judging does not depend on the runtime.

A backend views memory as arrays, fills it, converts outputs to float64 numpy arrays (exact for
every dtype used here), and reads and writes safetensors, the format in which outputs travel.
"""

from __future__ import annotations

import math
import mmap
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import safetensors.numpy

from quizprep.worker.protocol import TensorAt

Memory = bytearray | mmap.mmap
"""The memory that arrays are views of: the shared arena, or private bytes."""

Array = Any
"""A numpy array or a torch tensor. mypy does not follow torch's imports: its annotations take a
minute."""

DType = Any
"""A dtype of numpy or of torch."""

Function = Callable[..., Any]
"""A function of an exercise, a submission or a solution, from arrays and numbers to one or several
arrays."""

EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""The distance from 1 to the next larger number, by dtype."""


MAX_AXES = 32
"""Axes of an array that is looked at."""


def numpy_holds(shape: Sequence[int]) -> bool:
    """Whether numpy can have an array of this shape. torch allows more axes, and sizes whose
    product overflows if one of them is 0."""
    return len(shape) < MAX_AXES and math.prod(max(size, 1) for size in shape) < 1 << 48


def outputs_of(result: Array) -> tuple[Array, ...]:
    """The outputs of a call, one or several, as a tuple."""
    return tuple(result) if isinstance(result, tuple | list) else (result,)


class Backend(ABC):
    """The operations that judging needs of an array library."""

    name: str
    array_types: tuple[type, ...]
    """The library's arrays, subclasses included."""
    plain_types: frozenset[type]
    """The library's own array types; a subclass of one could compute its values later."""
    dtype_type: type
    _library: ModuleType
    _format: ModuleType
    """The module of safetensors for this library."""

    @abstractmethod
    def view(self, memory: Memory, at: TensorAt) -> Array:
        """An array over a writable buffer, without a copy."""

    @abstractmethod
    def place(self, array: Array, memory: bytearray) -> TensorAt:
        """The position in ``memory`` of an array that is a slice of it."""

    @abstractmethod
    def address(self, array: Array) -> int:
        """The address of an array's first element."""

    @abstractmethod
    def exact(self, array: Array) -> np.ndarray:
        """The values of an array, or of a number that a script yielded, in float64."""

    @abstractmethod
    def kind(self, name: str) -> DType:
        """The dtype of that name."""

    @abstractmethod
    def from_numpy(self, array: np.ndarray) -> Array:
        """A numpy array as an array of the library."""

    @abstractmethod
    def _cast(self, array: Array, dtype: str) -> Array:
        """An array in another dtype."""

    @abstractmethod
    def _contiguous(self, array: Array) -> Array:
        """The array in the form that safetensors takes."""

    def itemsize(self, dtype: str) -> int:
        """Bytes per element."""
        return int(self.kind(dtype).itemsize)

    def _flat(self, memory: Memory, at: TensorAt) -> Array:
        dtype = self.kind(at.dtype)
        return self._library.frombuffer(memory, dtype=dtype, count=at.span, offset=at.start)

    def fill(self, memory: bytearray, at: TensorAt, value: np.ndarray, ones: int | None) -> None:
        """Write an input into private memory in which every float is NaN so far.

        The gaps between integers get the dtype's largest value. With ``ones``, that many elements
        of the guard zone at each end are set to one.
        """
        if at.span == 0:
            return
        flat = self._flat(memory, at)
        if at.dtype not in EPSILON:
            flat[...] = at.dtype == "bool" or self._library.iinfo(flat.dtype).max
        if ones:
            flat[:ones] = flat[-ones:] = 1
        self.view(memory, at)[...] = self.from_numpy(value)

    def copy_back(self) -> None:  # noqa: B027
        """After a call: copy its inputs back into shared memory, unless they were used in place."""

    def is_floating(self, value: Array) -> bool:
        """Whether it is an array of a floating dtype."""
        return self.is_array(value) and self.dtype(value) in EPSILON

    def cast(self, value: Array, dtype: str) -> Array:
        """A floating array in another dtype; any other value unchanged."""
        return self._cast(value, dtype) if self.is_floating(value) else value

    def dtype(self, array: Array) -> str:
        """The name of the array's dtype."""
        return str(array.dtype).removeprefix("torch.")

    def kind_name(self, value: object) -> str | None:
        """The name of a dtype; None for anything else."""
        return str(value).removeprefix("torch.") if isinstance(value, self.dtype_type) else None

    def is_array(self, value: object) -> bool:
        return isinstance(value, self.array_types)

    def is_plain(self, value: object) -> bool:
        return type(value) in self.plain_types

    def pack(self, arrays: dict[str, Array]) -> bytes:
        """Serialise arrays as safetensors."""
        return bytes(self._format.save({n: self._contiguous(a) for n, a in arrays.items()}))

    def unpack(self, blob: bytes) -> dict[str, Array]:
        """Parse arrays from safetensors; raises ValueError."""
        try:
            return dict(self._format.load(blob))
        except Exception as error:
            raise ValueError("outputs that are no tensors") from error

    def nudge(self, value: Array, rng: np.random.Generator | None) -> Array:
        """A copy of a floating array with every entry moved by about one unit in the last place:
        each in a random direction, or, without ``rng``, all away from zero. Any other value
        unchanged."""
        if not self.is_floating(value):
            return value
        dtype = self.dtype(value)
        factor: Array = 1 + EPSILON[dtype]
        if rng is not None:
            sign = rng.integers(0, 2, tuple(value.shape)) * 2.0 - 1
            factor = self.from_numpy(1 + sign * EPSILON[dtype])
        return self.cast(self.cast(value, "float64") * factor, dtype)


class NumpyBackend(Backend):
    """Arrays are numpy arrays."""

    name = "numpy"
    array_types = (np.ndarray, np.generic)
    plain_types = frozenset({np.ndarray, *np.sctypeDict.values()})
    dtype_type = np.dtype
    _library = np
    _format = safetensors.numpy

    def view(self, memory: Memory, at: TensorAt) -> Array:
        flat = self._flat(memory, at)
        strides = tuple(step * flat.itemsize for step in at.strides)
        return np.lib.stride_tricks.as_strided(flat[at.offset :], at.shape, strides)

    def place(self, array: Array, memory: bytearray) -> TensorAt:
        strides = tuple(step // array.itemsize for step in array.strides)
        return _placed(array.shape, strides, self.dtype(array), self.address(array), memory)

    def address(self, array: Array) -> int:
        return _address(np.asarray(array))

    def exact(self, array: Array) -> np.ndarray:
        return np.asarray(array, dtype=np.float64)

    def kind(self, name: str) -> DType:
        return np.dtype(name)

    def from_numpy(self, array: np.ndarray) -> Array:
        return array

    def _cast(self, array: Array, dtype: str) -> Array:
        return array.astype(dtype)

    def _contiguous(self, array: Array) -> Array:
        return np.asarray(array, order="C")


class TorchBackend(Backend):
    """Arrays are torch tensors on the CPU."""

    name = "torch"

    def __init__(self) -> None:
        import safetensors.torch
        import torch

        self._torch = self._library = torch
        self._format = safetensors.torch
        self.array_types, self.plain_types = (torch.Tensor,), frozenset({torch.Tensor})
        self.dtype_type = torch.dtype

    def view(self, memory: Memory, at: TensorAt) -> Array:
        if at.span == 0:
            return self._torch.empty(at.shape, dtype=self.kind(at.dtype))
        return self._flat(memory, at).as_strided(at.shape, at.strides, at.offset)

    def place(self, array: Array, memory: bytearray) -> TensorAt:
        dtype = self.dtype(array)
        return _placed(array.shape, array.stride(), dtype, self.address(array), memory)

    def address(self, array: Array) -> int:
        return int(array.data_ptr())

    def exact(self, array: Array) -> np.ndarray:
        if not isinstance(array, self._torch.Tensor):
            return np.asarray(array, dtype=np.float64)
        if not numpy_holds(tuple(array.shape)):
            return np.empty((0,) * MAX_AXES)  # the shape of no output
        found: np.ndarray = array.detach().double().numpy()
        return found

    def kind(self, name: str) -> DType:
        return getattr(self._torch, name)

    def from_numpy(self, array: np.ndarray) -> Array:
        return self._torch.from_numpy(np.asarray(array, order="C"))

    def _cast(self, array: Array, dtype: str) -> Array:
        return array.to(self.kind(dtype))

    def _contiguous(self, array: Array) -> Array:
        array = array.detach()
        return array.contiguous().clone() if array.numel() else array


class CudaBackend(TorchBackend):
    """The learner's side on a GPU: inputs are copied there, outputs come back.

    Written from torch's documentation and never run: no GPU was at hand.
    """

    name = "cuda"

    def __init__(self) -> None:  # unseen: only on a GPU
        super().__init__()
        self._pairs: list[tuple[Array, Array]] = []

    def view(self, memory: Memory, at: TensorAt) -> Array:  # unseen: only on a GPU
        """A copy on the GPU with the same strides."""
        here = super().view(memory, at)
        there = self._torch.empty_strided(at.shape, at.strides, dtype=here.dtype, device="cuda")
        there.copy_(here)
        self._pairs.append((here, there))
        return there

    def copy_back(self) -> None:  # unseen: only on a GPU
        """Copy the inputs back, so that the judge sees whether they were modified."""
        for here, there in self._pairs:
            here.copy_(there)
        self._pairs.clear()

    def pack(self, arrays: dict[str, Array]) -> bytes:  # unseen: only on a GPU
        """Tensors as safetensors, from wherever they are."""
        return super().pack({name: tensor.cpu() for name, tensor in arrays.items()})


def backend_for(runtime: str, device: str = "cpu") -> Backend:
    """The backend of a runtime; Triton kernels are launched on torch tensors."""
    if runtime == "numpy":
        return NumpyBackend()
    return CudaBackend() if device == "cuda" else TorchBackend()


def address_of(memory: Memory) -> int:
    """The address of a buffer; 0 if it is empty."""
    return _address(np.frombuffer(memory, dtype=np.uint8)) if len(memory) else 0


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def _placed(
    shape: Sequence[int], strides: Sequence[int], dtype: str, pointer: int, memory: bytearray
) -> TensorAt:
    base = address_of(memory)
    empty = 0 in tuple(shape)
    reach = 0 if empty else 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    start = 0 if empty else pointer - base
    if not 0 <= start <= len(memory):
        raise ValueError("a script passes an array that is no slice of its inputs")
    return TensorAt(
        dtype=dtype,
        start=start,
        span=reach,
        offset=0,
        shape=tuple(shape),
        strides=tuple(strides),
    )
