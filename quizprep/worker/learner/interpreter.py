"""A faster interpreter for Triton: patches that remove its repeated work.

Before each launch, and before each call of a function such as `tl.max` inside a kernel, the
interpreter replaces several hundred names of `triton.language`: up to half of a small kernel's
time. Most of the rest goes into constructing the same few types for every value, with shape checks
and names, and into broadcasting operands that numpy would broadcast anyway.

Results of kernels and readings of the meters are the same with and without these patches. A kernel
with `triton.autotune` runs with its first configuration: there is no GPU to time the others on.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from types import FunctionType

import numpy as np
import triton

# Imported here once; otherwise every process imports it at its first launch.
import triton.experimental.gluon.language
import triton.language as tl
from triton.language.core import dtype as Type
from triton.language.core import tensor as Value
from triton.language.extra import libdevice
from triton.language.semantic import TritonSemantic
from triton.runtime import interpreter
from triton.runtime.autotuner import Autotuner, Config
from triton.runtime.interpreter import InterpreterBuilder as Builder
from triton.runtime.interpreter import TensorHandle as Handle

KNOWN = "3.9."
"""The version whose internals these patches fit; any other version stays unpatched."""

MAX_TYPES = 4096
"""Capacity of the cache of types; pointer types are new in every launch."""


Operands = tuple[Value, Value]


class _PermanentScope:
    """The scope that the interpreter closes after a launch; closing this one restores nothing."""

    def restore(self) -> None:
        """Nothing: the process no longer needs the original names."""


def speed_up() -> None:
    """Apply the patches to this process's interpreter, if its version is known."""
    if triton.__version__.startswith(KNOWN):
        _patch_names_once()
        _call_directly()
        _check_values_quickly()
        _cache_types()
        _skip_identity_conversions()
        _check_overflow_quickly()


def autotune_without_timing() -> None:
    """Let `triton.autotune` take the first configuration that its own pruning leaves. Timing them
    needs a GPU; without one it fails with an error about drivers."""
    prune: Callable[..., list[Config]] = Autotuner.prune_configs

    def prune_configs(self: Autotuner, *args: object, **keywords: object) -> list[Config]:
        return prune(self, *args, **keywords)[:1]

    Autotuner.prune_configs = prune_configs


def refuse_libdevice() -> None:
    """Have functions of libdevice, which is a GPU's, say that they cannot run here. In the
    interpreter they return None."""

    def refusing(name: str) -> Callable[..., object]:
        def refuse(*_: object, **__: object) -> object:
            raise NotImplementedError(
                f"libdevice.{name} is code for a GPU; in Triton's interpreter use tl or tl.math"
            )

        return refuse

    for name, member in list(vars(libdevice).items()):
        if inspect.isfunction(member) and member.__module__ == libdevice.__name__:
            setattr(libdevice, name, refusing(name))


def _patch_names_once() -> None:
    """Replace the names that a function uses at its first call, permanently."""
    original: Callable[..., object] = interpreter._patch_lang
    modules: set[int] = set()
    functions: dict[int, dict[str, object]] = {}
    """The globals of functions whose modules are patched, by id; held so that ids stay unique."""

    def replace_names(function: FunctionType) -> _PermanentScope:
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
            for name, value in names.items():
                # Imported by itself, as in ``from triton.language import exp``.
                if getattr(value, "__triton_builtin__", False):
                    names[name] = getattr(tl, value.__name__, value)
        return _PermanentScope()

    interpreter._patch_lang = replace_names


def _call_directly() -> None:
    """Call functions of the language without copying their keywords and checking the added one
    again."""

    def patch_attr(
        obj: object,
        name: str,
        member: Callable[..., object],
        builder: Builder,
        scope: interpreter._LangPatchScope,
    ) -> None:
        semantic = interpreter.interpreter_semantic
        # The wrapper only checks for the keyword, to explain that kernels alone may call this.
        call = getattr(member, "__wrapped__", member)

        def new_member(*args: object, **keywords: object) -> object:
            keywords["_semantic"] = semantic
            return call(*args, **keywords)

        new_member.__module__, new_member.__name__ = member.__module__, name
        scope.set_attr(obj, name, new_member)

    interpreter._patch_attr = patch_attr


def _check_values_quickly() -> None:
    """Compare sizes once when a value is constructed, and run the interpreter's full check only if
    they do not fit."""
    handle = interpreter.TensorHandle
    refuse: Callable[..., None] = handle.__post_init__
    pointer = tl.core.pointer_type

    def init_handle(
        self: Handle,
        data: np.ndarray,
        dtype: Type,
        attr: dict[str, object] | None = None,
    ) -> None:
        self.data = data
        self.dtype = dtype
        self.attr = {} if attr is None else attr
        max_bytes = dtype.__dict__.get("_max_bytes")
        if max_bytes is None:
            # As the interpreter's own check does: any pointer fits, and a bit takes a byte.
            bits = math.inf if isinstance(dtype, pointer) else dtype.primitive_bitwidth
            max_bytes = dtype._max_bytes = max(8, bits) / 8
        if data.itemsize > max_bytes:
            refuse(self)

    handle.__init__ = init_handle


def _cache_types() -> None:
    """Cache block types, and the attributes that a value derives from its type."""
    block, several = tl.core.block_type, tl.core.tuple
    make: Callable[..., None] = block.__init__
    types: dict[tuple[int, ...], tl.core.block_type] = {}

    def init_type(self: tl.core.block_type, element_ty: Type, shape: tl.core.tuple) -> None:
        if type(shape) is several:
            shape = shape.values
        for length in shape:
            # The original constructor rejects numbers of other types, equal or not.
            if type(length) is not int:
                make(self, element_ty, shape)
                self._with_element = {}
                return
        key = (id(element_ty), *shape)
        known = types.get(key)
        if known is not None:
            self.__dict__.update(known.__dict__)
            return
        make(self, element_ty, shape)
        self._with_element = {}
        if len(types) >= MAX_TYPES:
            types.clear()
        # The cached type holds its element type, so that the id in the key stays unique.
        types[key] = self

    def with_element_ty(self: tl.core.block_type, scalar_ty: Type) -> tl.core.block_type:
        known = self._with_element.get(id(scalar_ty))
        if known is None:
            known = self._with_element[id(scalar_ty)] = block(scalar_ty, self.shape)
        return known

    def init_value(self: Value, handle: Handle, type: Type) -> None:
        known = type.__dict__.get("_value_attributes")
        if known is None:
            lengths = type.shape if type.is_block() else ()
            shape = tl.core.tuple([tl.core.constexpr(length) for length in lengths])
            known = {
                "shape": shape,
                "numel": tl.core.constexpr(math.prod(lengths)),
                "type": type,
                "dtype": type.scalar,
            }
            type._value_attributes = known
        self.handle = handle
        self.__dict__.update(known)

    numpy_type: Callable[..., np.dtype] = interpreter._get_np_dtype

    def np_dtype(tt_dtype: Type) -> np.dtype:
        known = tt_dtype.__dict__.get("_numpy_dtype")
        if known is None:
            known = tt_dtype._numpy_dtype = numpy_type(tt_dtype)
        return known

    block.__init__ = init_type
    block.with_element_ty = with_element_ty
    tl.core.tensor.__init__ = init_value
    interpreter._get_np_dtype = np_dtype


def _skip_identity_conversions() -> None:
    """Skip broadcasts and casts that change nothing, and let numpy broadcast the operands of an
    operation."""
    broadcast: Callable[..., Operands] = TritonSemantic.broadcast_impl_value
    cast: Callable[..., Value] = TritonSemantic._cast_to_computation_type
    check: Callable[..., Operands] = TritonSemantic.binary_op_type_checking_impl
    value, block = tl.core.tensor, tl.core.block_type
    common: dict[tuple[object, ...], tuple[Type, ...]] = {}
    """By the ids of two types, which are held, the type in which both are computed."""

    def broadcast_shape(left_shape: list[int], right_shape: list[int]) -> list[int] | None:
        """The shape that two shapes of equal rank broadcast to, or None."""
        if left_shape == right_shape:
            return left_shape
        pairs = list(zip(left_shape, right_shape, strict=False))
        if len(left_shape) == len(right_shape) and all(
            x == y or x == 1 or y == 1 for x, y in pairs
        ):
            return [y if x == 1 else x for x, y in pairs]
        return None

    def broadcast_impl_value(self: TritonSemantic, lhs: Value, rhs: Value) -> Operands:
        left, right = lhs.type, rhs.type
        if left.is_block() and right.is_block():
            # Lists of numbers: Triton's tuples are compared one constexpr at a time.
            left_shape, right_shape = left.shape.values, right.shape.values
            shape = broadcast_shape(left_shape, right_shape)
            if shape is not None:
                left_value = broadcast_value(self, lhs, left_shape, shape)
                return left_value, broadcast_value(self, rhs, right_shape, shape)
        return broadcast(self, lhs, rhs)

    def broadcast_value(
        self: TritonSemantic, value: Value, own_shape: list[int], shape: list[int]
    ) -> Value:
        if own_shape == shape:
            return value
        result_type = block(value.type.scalar, shape)
        return self.make_tensor(self.builder.create_broadcast(value.handle, shape), result_type)

    def with_result_type(self: TritonSemantic, lhs: Value, rhs: Value) -> Operands:
        """Both operands with the type of the result. Their data are not broadcast: numpy does that
        in the operation."""
        left, right = lhs.type, rhs.type
        if left is right:
            return lhs, rhs
        if not left.is_block():
            return (
                value(lhs.handle, right.with_element_ty(left)) if right.is_block() else lhs
            ), rhs
        if not right.is_block():
            return lhs, value(rhs.handle, left.with_element_ty(right))
        left_shape, right_shape = left.shape.values, right.shape.values
        shape = broadcast_shape(left_shape, right_shape)
        if shape is None:
            return broadcast(self, lhs, rhs)
        if left_shape != shape:
            lhs = value(lhs.handle, block(left.element_ty, shape))
        if right_shape != shape:
            rhs = value(rhs.handle, block(right.element_ty, shape))
        return lhs, rhs

    def computation_type(
        self: TritonSemantic,
        lhs: Value,
        rhs: Value,
        plain: bool,
        div_or_mod: bool,
    ) -> Type:
        key = (id(lhs), id(rhs), plain, div_or_mod)
        known = common.get(key)
        if known is None:
            dtype = self.computation_type_impl(lhs, False, rhs, plain, div_or_mod)
            known = common[key] = (dtype, lhs, rhs)
        return known[0]

    def cast_to_computation_type(self: TritonSemantic, value: Value, dtype: Type) -> Value:
        # A plain number has no such attribute.
        return value if getattr(value, "dtype", None) is dtype else cast(self, value, dtype)

    def binary_op_type_checking_impl(
        self: TritonSemantic,
        lhs: Value,
        rhs: Value,
        allow_lhs_ptr: bool = False,
        allow_rhs_ptr: bool = False,
        arithmetic_check: bool = True,
        div_or_mod: bool = False,
    ) -> Operands:
        if type(lhs) is value and arithmetic_check:
            one = lhs.dtype
            plain = type(rhs) is int or type(rhs) is float
            if not one.is_ptr() and (plain or (type(rhs) is value and not rhs.dtype.is_ptr())):
                two = self.to_tensor_type(rhs) if plain else rhs.dtype
                dtype = computation_type(self, one, two, plain, div_or_mod)
                lhs = cast_to_computation_type(self, lhs, dtype)
                return with_result_type(self, lhs, cast_to_computation_type(self, rhs, dtype))
            if one.is_ptr() and allow_lhs_ptr and type(rhs) is value and rhs.dtype.is_int():
                return with_result_type(self, lhs, rhs)
        return check(self, lhs, rhs, allow_lhs_ptr, allow_rhs_ptr, arithmetic_check, div_or_mod)

    TritonSemantic.binary_op_type_checking_impl = binary_op_type_checking_impl
    TritonSemantic.broadcast_impl_value = broadcast_impl_value
    TritonSemantic._cast_to_computation_type = cast_to_computation_type


def _check_overflow_quickly() -> None:
    """Check an integer operation for overflow with three calls of numpy instead of twenty of the
    interpreter, which still reports an overflow itself."""
    exactly: dict[str, Callable[..., np.ndarray]] = {
        "add": np.add,
        "sub": np.subtract,
        "mul": np.multiply,
    }
    check: Callable[..., None] = TritonSemantic.binary_op_sanitize_overflow_impl

    def binary_op_sanitize_overflow_impl(
        self: TritonSemantic, lhs: Value, rhs: Value, binary_op: FunctionType
    ) -> None:
        kind, compute = lhs.type.scalar, exactly.get(binary_op.__name__)
        if compute is not None and kind is rhs.type.scalar and kind.int_bitwidth < 64:
            wide = compute(lhs.handle.data, rhs.handle.data, dtype=np.int64)
            if kind.get_int_min_value() <= wide.min() and wide.max() <= kind.get_int_max_value():
                return
        check(self, lhs, rhs, binary_op)

    TritonSemantic.binary_op_sanitize_overflow_impl = binary_op_sanitize_overflow_impl
