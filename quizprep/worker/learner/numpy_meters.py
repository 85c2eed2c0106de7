"""Cost of numpy code without a clock: bytes alive from tracemalloc, flops from a counting array.

tracemalloc sees numpy's buffers. It also sees Python's own objects (an array header, a tuple), and
the 33 KB buffers through which numpy broadcasts, unless they are configured to be small. The
sizes of numpy exercises make every matrix a multiple of GRAIN bytes, so rounding down to GRAIN
leaves matrices exact and drops vectors.

Flops are counted by a subclass of ndarray that intercepts ufuncs, and that numpy's constructors
keep (`keep_counting`). Arithmetic outside the subclass (a list, a buffer) is not counted;
`count_flops` detects that and returns no reading rather than one that is too low.
"""

from __future__ import annotations

import functools
import gc
import math
import tracemalloc
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from quizprep.worker.backends import Function
from quizprep.worker.learner.lines import Recorder
from quizprep.worker.protocol import Moment

Value = Any
"""An argument or result of numpy functions: arrays, numbers, and lists of these."""

_asarray = np.asarray

GRAIN = 1 << 13
BUFFER = 16


def _unchanged(value: Value) -> Value:
    return value


def peak_bytes(
    call: Callable[[], Value], read: Callable[[Value], list[np.ndarray]]
) -> tuple[Value, dict[str, int]]:
    """Run ``call``; returns (result, readings) with peak and held bytes beyond the outputs.
    ``read`` lists the arrays of a result."""
    gc.collect()
    gc.disable()
    usual = np.setbufsize(BUFFER)
    tracemalloc.start(1)
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = call()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        np.setbufsize(usual)
        gc.enable()
    # Outputs are alive at the peak too; only memory beside them is working memory.
    returned = sum(array.nbytes for array in read(result))
    return result, {
        "peak_bytes": _grain(peak - before - returned),
        "held_bytes": _grain(after - before - returned),
    }


def _grain(size: int) -> int:
    return max(size, 0) // GRAIN * GRAIN


class CountingArray(np.ndarray):
    """An ndarray whose arithmetic is counted; its views and results are counting arrays too."""

    counter: Recorder | None = None

    def __array_finalize__(self, source: np.ndarray | None) -> None:
        self.counter = getattr(source, "counter", None)
        if self.counter is not None and self.flags.owndata:
            self.counter.allocated(self)

    def view(self, *args: Value, **kwargs: Value) -> np.ndarray:  # type: ignore[override]
        """A view; one as a plain array is counted as well."""
        found = super().view(*args, **kwargs)
        return found if isinstance(found, CountingArray) else _wrap(found, self.counter)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Value, **kwargs: Value
    ) -> Value:
        counter = next(
            (x.counter for x in inputs if isinstance(x, CountingArray) and x.counter), None
        )
        plain = [_plain(x) for x in inputs]
        outs = kwargs.get("out")
        if outs is not None:
            kwargs["out"] = tuple(_plain(x) for x in outs)
        for name, value in kwargs.items():
            if name != "out":
                kwargs[name] = _plain(value)
        result = getattr(ufunc, method)(*plain, **kwargs)
        if counter is not None:
            _count_ufunc(counter, ufunc, plain, result)
        if outs is not None and len(outs) == 1:
            return outs[0]
        return _wrap(result, counter)

    def __array_function__(
        self,
        func: Function,
        types: Iterable[type],
        args: Iterable[Value],
        kwargs: Mapping[str, Value],
    ) -> Value:
        counter = self.counter
        if func.__name__ in ("einsum", "dot", "inner", "tensordot", "vdot"):
            plain = _plain(args)
            result = func(*plain, **{k: _plain(v) for k, v in kwargs.items()})
            if counter is not None:
                terms = _einsum_terms if func.__name__ == "einsum" else _product_terms
                counter.add(2 * terms(plain, result), 0, _bytes(plain) + _bytes(result))
        else:
            result = super().__array_function__(func, types, args, kwargs)
            if counter is not None and func.__name__ in _MOVES:
                counter.add(0, 0, _bytes(args) + _bytes(result))
        return _wrap(result, counter)


_MOVES = frozenset(
    """
    concatenate stack vstack hstack dstack column_stack repeat tile copyto put take take_along_axis
    put_along_axis roll flip pad where append insert delete tril triu
    """.split()
)
"""Functions that move values without an operation that is counted by itself."""


def _bytes(value: Value) -> int:
    """The bytes of the arrays in a value."""
    if isinstance(value, list | tuple):
        return sum(map(_bytes, value))
    return value.nbytes if isinstance(value, np.ndarray) else 0


def _count_ufunc(
    counter: Recorder, ufunc: np.ufunc, inputs: Sequence[Value], result: Value
) -> None:
    moved = _bytes(inputs) + _bytes(result)
    if ufunc is np.matmul:
        counter.add(2 * np.size(result) * inputs[0].shape[-1], 0, moved)
        return
    sizes = [np.size(x) for x in inputs if isinstance(x, np.ndarray)]
    results = result if isinstance(result, tuple) else (result,)
    sizes += [np.size(x) for x in results if isinstance(x, np.ndarray | np.generic)]
    counter.add(0, max(sizes, default=0), moved)


def _product_terms(args: Sequence[Value], result: Value) -> int:
    """Multiplications of a product that sums over common axes. With a and b free entries and k
    summed ones, the sizes are a*k, b*k and a*b, and a*b*k is the square root of their product."""
    return math.isqrt(np.size(args[0]) * np.size(args[1]) * np.size(result))


def _einsum_terms(args: Sequence[Value], _: Value) -> int:
    """Multiplications of an einsum that iterates over all its indices at once."""
    if isinstance(args[0], str):
        texts = args[0].replace(" ", "").split("->")[0].split(",")
        pairs = [(_indices(text), np.shape(x)) for text, x in zip(texts, args[1:], strict=True)]
    else:
        pairs = [(list(args[at + 1]), np.shape(args[at])) for at in range(0, len(args) - 1, 2)]
    lengths: dict[Hashable, int] = {}
    for indices, shape in pairs:
        if ... in indices:
            # The axes of an ellipsis are aligned from the right.
            at, free = indices.index(...), len(shape) - len(indices) + 1
            indices = [
                *indices[:at],
                *(("...", axis) for axis in range(-free, 0)),
                *indices[at + 1 :],
            ]
        for index, length in zip(indices, shape, strict=True):
            if lengths.get(index, 1) == 1:
                lengths[index] = length
    return math.prod(lengths.values())


def _indices(text: str) -> list[Value]:
    before, dots, behind = text.partition("...")
    return [*before, *([...] if dots else []), *behind]


def _plain(value: Value) -> Value:
    if isinstance(value, CountingArray):
        return np.ndarray.view(value, np.ndarray)
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    return value


def _wrap(value: Value, counter: Recorder | None) -> Value:
    if isinstance(value, tuple):
        return tuple(_wrap(item, counter) for item in value)
    if type(value) is np.ndarray or isinstance(value, np.generic):
        return counting(_asarray(value), counter)
    return value


def counting(array: np.ndarray, counter: Recorder | None) -> CountingArray:
    """The same memory as a counting array; if it belongs to ``array``, it counts as new."""
    wrapped = np.ndarray.view(array, CountingArray)
    wrapped.counter = counter
    if counter is not None and array.flags.owndata:
        counter.allocated(array)
    return wrapped


CONSTRUCTORS = ("array", "asarray", "ascontiguousarray", "asfortranarray", "require", "copy")


def keep_counting(read: Callable[[Value], Value] = _unchanged) -> None:
    """Let numpy's constructors return counting arrays for counting arrays, and lists of these, for
    the rest of the process's life; a plain array would go on uncounted. ``read`` may make an
    argument into a counting array."""
    for name in CONSTRUCTORS:
        setattr(np, name, _kept(getattr(np, name), read))


def _kept(constructor: Function, read: Callable[[Value], Value]) -> Function:
    @functools.wraps(constructor)
    def construct(a: Value, *args: Value, **kwargs: Value) -> Value:
        a = read(a)
        found = constructor(a, *args, **kwargs)
        if type(found) is not np.ndarray:
            return found
        items = a if isinstance(a, list | tuple) else (a,)
        counters = (x.counter for x in items if isinstance(x, CountingArray))
        counter = next(counters, None)
        return found if counter is None else counting(found, counter)

    return construct


def count_flops(
    call: Function, inputs: Sequence[Value], counter: Recorder
) -> tuple[Value, dict[str, int]]:
    """Run ``call`` on counting views of the inputs.

    Returns (result, readings). Readings are empty if a result is no counting array: then some
    arithmetic may not have been counted.
    """
    watched = [_watched(value, counter) for value in inputs]
    counter.begin_call()
    result = call(*watched)
    results = result if isinstance(result, tuple) else (result,)
    escaped = any(isinstance(x, np.ndarray) and not isinstance(x, CountingArray) for x in results)
    plain = tuple(_plain(x) for x in results)
    answer = plain if isinstance(result, tuple) else plain[0]
    if escaped:
        return answer, {}
    return answer, {
        "flops": counter.flops,
        "elementwise": counter.elementwise,
        "calls": counter.calls,
    }


def _watched(value: Value, counter: Recorder) -> Value:
    """An argument with its arrays as counting ones."""
    if isinstance(value, list | tuple):
        return type(value)(_watched(item, counter) for item in value)
    return counting(value, counter) if isinstance(value, np.ndarray) else value


def moments(counter: Recorder, outputs: Sequence[np.ndarray]) -> tuple[Moment, ...]:
    """Of each place that allocated arrays, the moment at which most was alive there; outputs do not
    count."""
    found = ((counter.array_at(x.__array_interface__["data"][0]), x.nbytes) for x in outputs)
    return counter.moments({serial: size for serial, size in found if serial is not None})
