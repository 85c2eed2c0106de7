"""Triton's interpreter without work that it does again and again.

Before each launch, and before each call of a function such as `tl.max` inside a kernel, the
interpreter replaces several hundred names of `triton.language`: up to half of a small kernel's
time. The same few types are made
anew for every value, their shapes checked and their names written out, and operands of one
shape are broadcast to it: a third of the rest.

What a kernel computes, and what is counted, is the same with and without this.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import triton

# A launch would import it, in each process that launches.
import triton.experimental.gluon.language
import triton.language as tl
from triton.language.semantic import TritonSemantic
from triton.runtime import interpreter

KNOWN = "3.9."
"""The version whose insides are known here; any other one is left as it is."""

REMEMBERED = 4096
"""Types remembered at once; a pointer's is new in every launch."""


class _Kept:
    """What a launch or a call inside one restores: names stay replaced."""

    def restore(self) -> None:
        """Nothing; the process has no other use for them."""


def without_repetition() -> None:
    """Make the interpreter of this process faster, if it is of a version that is known."""
    if triton.__version__.startswith(KNOWN):
        _replace_names_once()
        _remember_types()
        _change_only_what_differs()
        _look_for_overflow_at_once()


def _replace_names_once() -> None:
    """Replace the names that a function uses when it is first called, for good."""
    original: Callable[[Any], Any] = interpreter._patch_lang
    modules: set[int] = set()
    functions: dict[int, Any] = {}
    """By id, the names of functions whose modules are replaced; held, so that ids stay theirs."""

    def replace_names(function: Any) -> Any:
        names = function.__globals__
        if id(names) not in functions:
            used = {
                id(value)
                for value in names.values()
                if inspect.ismodule(value) and (value is tl or value is tl.core)
            }
            if not used or not used <= modules:
                original(function)
                modules.update(used)
            functions[id(names)] = names
        return _Kept()

    interpreter._patch_lang = replace_names


def _remember_types() -> None:
    """Let a type of a block be worked out once, and what a value has from its type as well."""
    block = tl.core.block_type
    make: Callable[..., None] = block.__init__
    types: dict[tuple[Any, ...], Any] = {}

    def init_type(self: Any, element_ty: Any, shape: Any) -> None:
        for length in shape:
            # A number that equals a length but is of another type is refused.
            if type(length) is not int:
                make(self, element_ty, shape)
                return
        key = (id(element_ty), *shape)
        known = types.get(key)
        if known is not None:
            self.__dict__.update(known.__dict__)
            return
        make(self, element_ty, shape)
        if len(types) >= REMEMBERED:
            types.clear()
        # It holds the element's type, so that no other one gets that id.
        types[key] = self

    def init_value(self: Any, handle: Any, type: Any) -> None:
        known = type.__dict__.get("_of_values")
        if known is None:
            lengths = type.shape if type.is_block() else ()
            shape = tl.core.tuple([tl.core.constexpr(length) for length in lengths])
            known = {
                "shape": shape,
                "numel": tl.core.constexpr(math.prod(lengths)),
                "type": type,
                "dtype": type.scalar,
            }
            type._of_values = known
        self.handle = handle
        self.__dict__.update(known)

    numpy_type: Callable[[Any], Any] = interpreter._get_np_dtype

    def np_dtype(tt_dtype: Any) -> Any:
        known = tt_dtype.__dict__.get("_of_numpy")
        if known is None:
            known = tt_dtype._of_numpy = numpy_type(tt_dtype)
        return known

    block.__init__ = init_type
    tl.core.tensor.__init__ = init_value
    interpreter._get_np_dtype = np_dtype


def _change_only_what_differs() -> None:
    """Let operands be that would be broadcast or cast to the shape and type they have."""
    broadcast: Callable[..., Any] = TritonSemantic.broadcast_impl_value
    cast: Callable[..., Any] = TritonSemantic._cast_to_computation_type
    check: Callable[..., Any] = TritonSemantic.binary_op_type_checking_impl
    value = tl.core.tensor

    def broadcast_impl_value(self: Any, lhs: Any, rhs: Any) -> Any:
        one, two = lhs.type, rhs.type
        if one.is_block() and two.is_block():
            # As lists of numbers; as Triton's tuples they are compared one constexpr at a time.
            own, other = one.shape.values, two.shape.values
            if own == other:
                return lhs, rhs
            pairs = list(zip(own, other, strict=False))
            if len(own) == len(other) and all(x == y or x == 1 or y == 1 for x, y in pairs):
                shape = [y if x == 1 else x for x, y in pairs]
                return broaden(self, lhs, own, shape), broaden(self, rhs, other, shape)
        return broadcast(self, lhs, rhs)

    def broaden(self: Any, value: Any, own: list[int], shape: list[int]) -> Any:
        if own == shape:
            return value
        wide = tl.block_type(value.type.scalar, shape)
        return self.make_tensor(self.builder.create_broadcast(value.handle, shape), wide)

    def same(one: Any, two: Any) -> bool:
        return bool(one.shape.values == two.shape.values)

    def cast_to_computation_type(self: Any, value: Any, dtype: Any) -> Any:
        # A plain number has no such attribute.
        return value if getattr(value, "dtype", None) is dtype else cast(self, value, dtype)

    def binary_op_type_checking_impl(
        self: Any,
        lhs: Any,
        rhs: Any,
        allow_lhs_ptr: bool = False,
        allow_rhs_ptr: bool = False,
        arithmetic_check: bool = True,
        div_or_mod: bool = False,
    ) -> Any:
        if type(lhs) is value and type(rhs) is value:
            one, two = lhs.type, rhs.type
            dtype = lhs.dtype
            if (
                dtype is rhs.dtype
                and not dtype.is_ptr()
                and (one is two or (one.is_block() and two.is_block() and same(one, two)))
                and self.computation_type_impl(dtype, False, dtype, False, div_or_mod) is dtype
            ):
                return lhs, rhs
        return check(self, lhs, rhs, allow_lhs_ptr, allow_rhs_ptr, arithmetic_check, div_or_mod)

    TritonSemantic.binary_op_type_checking_impl = binary_op_type_checking_impl
    TritonSemantic.broadcast_impl_value = broadcast_impl_value
    TritonSemantic._cast_to_computation_type = cast_to_computation_type


def _look_for_overflow_at_once() -> None:
    """Let an operation on integers be checked with three calls of numpy in the place of twenty of
    the interpreter's; what does overflow is left to it to tell."""
    exactly: dict[str, Callable[..., Any]] = {"add": np.add, "sub": np.subtract, "mul": np.multiply}
    check: Callable[..., None] = TritonSemantic.binary_op_sanitize_overflow_impl

    def binary_op_sanitize_overflow_impl(self: Any, lhs: Any, rhs: Any, binary_op: Any) -> None:
        kind, compute = lhs.type.scalar, exactly.get(binary_op.__name__)
        if compute is not None and kind is rhs.type.scalar and kind.int_bitwidth < 64:
            wide = compute(lhs.handle.data, rhs.handle.data, dtype=np.int64)
            if kind.get_int_min_value() <= wide.min() and wide.max() <= kind.get_int_max_value():
                return
        check(self, lhs, rhs, binary_op)

    TritonSemantic.binary_op_sanitize_overflow_impl = binary_op_sanitize_overflow_impl
