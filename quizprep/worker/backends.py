"""numpy and torch behind one small face, so that judging does not depend on the runtime.

A backend views memory as arrays, fills it, turns outputs into float64 numpy arrays (exact for
every dtype used here) and reads and writes the safetensors form in which outputs travel.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import safetensors.numpy

from quizprep.worker.protocol import TensorAt

Memory = bytearray | mmap.mmap
"""What arrays are views of: the shared arena, or private bytes."""

Array = Any
"""A numpy array or a torch tensor. mypy does not look into torch: its annotations take a minute."""

Function = Callable[..., Any]
"""A function of an exercise, of the submission or of the solution: arrays and numbers in, one or
several arrays out."""

EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Distance from 1 to the next number, by dtype."""


class NumpyBackend:
    """Arrays are numpy arrays."""

    name = "numpy"

    def itemsize(self, dtype: str) -> int:
        return int(np.dtype(dtype).itemsize)

    def view(self, memory: Memory, at: TensorAt) -> Array:
        """An array over a writable buffer, nothing copied."""
        size = self.itemsize(at.dtype)
        flat = np.frombuffer(memory, dtype=at.dtype, count=at.span, offset=at.start)
        return np.lib.stride_tricks.as_strided(
            flat[at.offset :], at.shape, tuple(step * size for step in at.strides)
        )

    def fill(self, memory: bytearray, at: TensorAt, value: np.ndarray, ones: int | None) -> None:
        """Write an input into private memory, all of it NaN as floats; around integers it becomes
        extreme, and so many elements at both ends of any input become one."""
        if at.span == 0:
            return
        flat = np.frombuffer(memory, dtype=at.dtype, count=at.span, offset=at.start)
        if flat.dtype.kind != "f":
            flat[...] = _extreme(flat.dtype)
        if ones:
            flat[:ones] = flat[-ones:] = 1
        self.view(memory, at)[...] = value

    def place(self, array: Array, memory: bytearray) -> TensorAt:
        """Where an array that is a slice of the memory lies in it."""
        pointer = array.__array_interface__["data"][0]
        size = array.itemsize
        strides = tuple(step // size for step in array.strides)
        return _placed(array.shape, strides, str(array.dtype), pointer, memory)

    def settle(self) -> None:
        """Nothing: inputs were used where they lie."""

    def double(self, array: Array) -> Array:
        """A float64 copy of a floating array; others unchanged."""
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    def exact(self, array: Array) -> np.ndarray:
        """The array's values as a float64 numpy array."""
        return np.asarray(array, dtype=np.float64)

    def dtype(self, array: Array) -> str:
        return str(array.dtype)

    def kind(self, name: str) -> Any:
        """The dtype of that name."""
        return np.dtype(name)

    def kind_name(self, value: object) -> str | None:
        """The name of a dtype; None for anything else."""
        return str(value) if isinstance(value, np.dtype) else None

    def cast(self, array: Array, dtype: str) -> Array:
        """A floating array in another dtype; others unchanged."""
        return array.astype(dtype) if array.dtype.kind == "f" else array

    def is_array(self, value: object) -> bool:
        return isinstance(value, np.ndarray | np.generic)

    def is_plain(self, value: object) -> bool:
        """Whether it is the library's own array type, no subclass that computes later."""
        return type(value) is np.ndarray or isinstance(value, np.generic)

    def pack(self, arrays: dict[str, Array]) -> bytes:
        """Arrays as safetensors."""
        return bytes(
            safetensors.numpy.save({k: np.asarray(v, order="C") for k, v in arrays.items()})
        )

    def unpack(self, blob: bytes) -> dict[str, Array]:
        """Arrays from safetensors; raises ValueError."""
        try:
            return dict(safetensors.numpy.load(blob))
        except Exception as error:
            raise ValueError("outputs that are no tensors") from error

    def nudge(self, array: Array, rng: np.random.Generator | None) -> Array:
        """A copy with every floating value moved by about one unit in the last place: in a
        random direction each, or without rng all away from zero."""
        if array.dtype.kind != "f":
            return array
        sign = 1 if rng is None else rng.integers(0, 2, array.shape) * 2 - 1
        return (array * (1 + sign * EPSILON[str(array.dtype)])).astype(array.dtype)


def _placed(
    shape: Sequence[int], strides: Sequence[int], dtype: str, pointer: int, memory: bytearray
) -> TensorAt:
    base = np.frombuffer(memory, dtype=np.uint8).__array_interface__["data"][0] if memory else 0
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


def _extreme(dtype: np.dtype[Any]) -> Any:
    return np.iinfo(dtype).max if dtype.kind in "iu" else True


class TorchBackend:
    """Arrays are torch tensors on the CPU."""

    name = "torch"

    def __init__(self) -> None:
        import safetensors.torch
        import torch

        self._torch = torch
        self._format = safetensors.torch

    def itemsize(self, dtype: str) -> int:
        return int(getattr(self._torch, dtype).itemsize)

    def view(self, memory: Memory, at: TensorAt) -> Array:
        """A tensor over a writable buffer, nothing copied."""
        torch = self._torch
        dtype = getattr(torch, at.dtype)
        if at.span == 0:
            return torch.empty(at.shape, dtype=dtype)
        flat = torch.frombuffer(memory, dtype=dtype, count=at.span, offset=at.start)
        return flat.as_strided(at.shape, at.strides, at.offset)

    def fill(self, memory: bytearray, at: TensorAt, value: np.ndarray, ones: int | None) -> None:
        """Write an input into private memory, all of it NaN as floats; around integers it becomes
        extreme, and so many elements at both ends of any input become one."""
        torch = self._torch
        if at.span == 0:
            return
        dtype = getattr(torch, at.dtype)
        flat = torch.frombuffer(memory, dtype=dtype, count=at.span, offset=at.start)
        if not dtype.is_floating_point:
            flat.fill_(_torch_extreme(torch, dtype))
        if ones:
            flat[:ones] = flat[-ones:] = 1
        inside = flat.as_strided(at.shape, at.strides, at.offset)
        inside.copy_(torch.from_numpy(np.asarray(value, order="C")))

    def place(self, array: Array, memory: bytearray) -> TensorAt:
        """Where a tensor that is a slice of the memory lies in it."""
        dtype = self.dtype(array)
        return _placed(array.shape, array.stride(), dtype, array.data_ptr(), memory)

    def settle(self) -> None:
        """Nothing: inputs were used where they lie."""

    def double(self, array: Array) -> Array:
        """A float64 copy of a floating tensor with the same values; others unchanged."""
        return array.double() if array.dtype.is_floating_point else array

    def exact(self, array: Array) -> np.ndarray:
        """The tensor's values as a float64 numpy array; a number of a script is one too."""
        if not isinstance(array, self._torch.Tensor):
            return np.asarray(array, dtype=np.float64)
        found: np.ndarray = array.detach().double().numpy()
        return found

    def dtype(self, array: Array) -> str:
        return str(array.dtype).removeprefix("torch.")

    def kind(self, name: str) -> Any:
        """The dtype of that name."""
        return getattr(self._torch, name)

    def kind_name(self, value: object) -> str | None:
        """The name of a dtype; None for anything else."""
        is_dtype = isinstance(value, self._torch.dtype)
        return str(value).removeprefix("torch.") if is_dtype else None

    def cast(self, array: Array, dtype: str) -> Array:
        """A floating tensor in another dtype; others unchanged."""
        return array.to(self.kind(dtype)) if array.dtype.is_floating_point else array

    def is_array(self, value: object) -> bool:
        return isinstance(value, self._torch.Tensor)

    def is_plain(self, value: object) -> bool:
        """Whether it is the library's own array type, no subclass that computes later."""
        return type(value) is self._torch.Tensor

    def pack(self, arrays: dict[str, Array]) -> bytes:
        """Tensors as safetensors."""
        whole = {
            name: tensor.detach().contiguous().clone() if tensor.numel() else tensor.detach()
            for name, tensor in arrays.items()
        }
        return bytes(self._format.save(whole))

    def unpack(self, blob: bytes) -> dict[str, Array]:
        """Tensors from safetensors; raises ValueError."""
        try:
            return dict(self._format.load(blob))
        except Exception as error:
            raise ValueError("outputs that are no tensors") from error

    def nudge(self, array: Array, rng: np.random.Generator | None) -> Array:
        """A copy with every floating value moved by about one unit in the last place: in a
        random direction each, or without rng all away from zero."""
        if not array.dtype.is_floating_point:
            return array
        sign: Any = 1
        if rng is not None:
            # As doubles: an integer tensor times a number is float32, which a unit of
            # float64 does not reach.
            sign = self._torch.from_numpy(rng.integers(0, 2, tuple(array.shape)) * 2.0 - 1)
        moved = array.double() * (1 + sign * EPSILON[self.dtype(array)])
        return moved.to(array.dtype)


def _torch_extreme(torch: Any, dtype: Any) -> Any:
    return True if dtype == torch.bool else torch.iinfo(dtype).max


class CudaBackend(TorchBackend):
    """The learner's side on a GPU: inputs are copied there, outputs come back.

    Written to torch's documentation and never run: no GPU was at hand.
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

    def settle(self) -> None:  # unseen: only on a GPU
        """Copy inputs back after a call, so that the judge sees whether they were changed."""
        for here, there in self._pairs:
            here.copy_(there)
        self._pairs.clear()

    def pack(self, arrays: dict[str, Array]) -> bytes:  # unseen: only on a GPU
        """Tensors as safetensors, from wherever they are."""
        return super().pack({name: tensor.cpu() for name, tensor in arrays.items()})


Backend = NumpyBackend | TorchBackend


def backend_for(runtime: str, device: str = "cpu") -> Backend:
    """The backend of a runtime: Triton kernels are launched on torch tensors."""
    if runtime == "numpy":
        return NumpyBackend()
    return CudaBackend() if device == "cuda" else TorchBackend()
