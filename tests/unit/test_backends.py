"""numpy and torch behave alike behind their common face."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.worker.arena import GUARD, lay_out
from quizprep.worker.backends import Backend, NumpyBackend, TorchBackend
from quizprep.worker.protocol import TensorAt

BOTH = pytest.mark.parametrize("backend", [NumpyBackend(), TorchBackend()], ids=["numpy", "torch"])
KINDS = ["float32", "float64", "int64", "int32", "uint8", "bool"]
SHAPES = st.lists(st.integers(0, 4), max_size=4)
LAYOUTS = st.sampled_from(["contiguous", "permuted", "strided", "pitched", "mixed"])


@BOTH
@given(SHAPES, st.sampled_from(KINDS), LAYOUTS, st.booleans())
def test_what_is_laid_out_is_what_was_given(
    backend: Backend, shape: list[int], kind: str, layout: str, guards: bool
) -> None:
    """In every layout the values are the same, empty arrays included; what lies before and
    behind them is NaN or extreme with guards, and ones without."""
    value = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape) % 3, kind)
    laid = lay_out({"x": value, "n": 3}, backend, "float32", layout, guards)
    (view, number) = laid.views(backend)
    assert number == 3
    assert tuple(view.shape) == tuple(shape)
    assert np.array_equal(backend.exact(view), value.astype(np.float64))
    (at,) = (a for a in laid.args if isinstance(a, TensorAt))
    ends = np.frombuffer(laid.memory, at.dtype, at.span, at.start)
    around = np.concatenate([ends[:GUARD], ends[-GUARD:]])
    if not guards:
        assert (around == 1).all()
    elif at.dtype.startswith("float"):
        assert np.isnan(around).all()
    else:
        assert (around == (True if kind == "bool" else np.iinfo(kind).max)).all()


NOTHING = TensorAt(dtype="float32", start=0, span=0, offset=0, shape=(0, 2), strides=(2, 1))


@BOTH
def test_an_array_of_no_memory_is_empty(backend: Backend) -> None:
    """A slice of nothing spans nothing: there is nothing to fill, and a view of it is empty."""
    memory = bytearray(8)
    backend.fill(memory, NOTHING, np.empty((0, 2)), None)
    assert memory == bytearray(8)
    assert tuple(backend.view(memory, NOTHING).shape) == (0, 2)


@BOTH
@given(SHAPES, st.sampled_from(["float32", "float64"]), LAYOUTS)
def test_outputs_survive_the_way_through_the_pipe(
    backend: Backend, shape: list[int], kind: str, layout: str
) -> None:
    """However an output lies in memory, its shape, dtype and values arrive."""
    value = np.asarray(np.random.default_rng(0).standard_normal(shape))
    ((array),) = lay_out({"x": value}, backend, kind, layout, True).views(backend)
    found = backend.unpack(backend.pack({"0": array}))["0"]
    assert backend.dtype(found) == kind
    assert np.array_equal(backend.exact(found), backend.exact(array))


@BOTH
@given(st.binary(max_size=40))
def test_bytes_that_are_no_tensors_are_refused(backend: Backend, blob: bytes) -> None:
    """Whatever a submission writes, it is tensors or one kind of error."""
    with pytest.raises(ValueError, match="outputs that are no tensors"):
        backend.unpack(blob)


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_a_dtype_has_one_name(backend: Backend, kind: str) -> None:
    """A name gives the dtype that has it; what is no dtype has no name."""
    assert backend.kind_name(backend.kind(kind)) == kind
    assert backend.kind_name(kind) is None
    assert backend.itemsize(kind) == np.dtype(kind).itemsize


@BOTH
@given(st.sampled_from(KINDS), st.booleans())
def test_only_floating_values_move(backend: Backend, kind: str, drawn: bool) -> None:
    """Indices, lengths and masks stay what they are; floats move by about one unit each."""
    rng: Any = np.random.default_rng(0) if drawn else None
    ((array),) = lay_out({"x": np.ones(50, kind)}, backend, kind, "contiguous", True).views(backend)
    changed = backend.cast(array, "float64")
    assert backend.dtype(changed) == ("float64" if kind.startswith("float") else kind)
    assert backend.cast(3, "float64") is backend.nudge(3, rng) == 3
    moved = backend.exact(backend.nudge(array, rng)) - 1
    if not kind.startswith("float"):
        assert not moved.any()
        return
    assert moved.all()
    assert (np.abs(moved) <= 2 * np.finfo(kind).eps).all()
    assert drawn == bool((moved < 0).any())
