"""How kernels are launched, so that they can be compiled for a GPU that is not here.

The interpreter runs a kernel as Python. What Triton's compiler needs to know instead is noted here
at each launch: the types of the arguments, the values that are constants to it, and what the names
mean that the kernel takes from its module.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any, Literal

import triton
import triton.language as tl
from triton._C.libtriton import native_specialize_impl
from triton.backends.nvidia.compiler import CUDABackend
from triton.runtime.interpreter import InterpretedFunction
from triton.runtime.jit import ConstexprFunction

from quizprep.worker.learner.exceptions import short
from quizprep.worker.protocol import MAX_LAUNCHES, Kernel, Launch, Value

Mode = Literal["", "run", "launch"]
"""Launches are not noted, noted and run, or only noted."""

MAX_KNOWN = 256
"""Launches that are told apart; a submission with more is compiled for the first of them."""

OPTIONS = ("num_warps", "num_stages", "num_ctas", "maxnreg")


class LaunchRecorder:
    """Notes every kernel and every kind of launch once."""

    def __init__(self, path: str) -> None:
        """``path`` is the submission's file: only its own kernels are noted."""
        self._path = path
        self._kernels: dict[int, Kernel] = {}
        self._launches: set[bytes] = set()
        self._mode: Mode = ""
        self._new_kernels: list[Kernel] = []
        self._new_launches: list[Launch] = []

    def install(self) -> None:
        """Note the launches of this process from now on."""
        run: Any = InterpretedFunction.run

        @functools.wraps(run)
        def run_and_note(
            kernel: InterpretedFunction, *args: Any, grid: Any, warmup: bool, **named: Any
        ) -> Any:
            if self._mode:
                self._note(kernel, args, named)
            if self._mode == "launch":
                return None
            return run(kernel, *args, grid=grid, warmup=warmup, **named)

        InterpretedFunction.run = run_and_note

    @contextmanager
    def active(self, mode: Mode) -> Iterator[None]:
        """Note the launches inside the block, without running them if the mode is ``launch``."""
        if mode == "launch":
            self._launches.clear()  # those of this call are asked for, whatever came before
        self._mode = mode
        try:
            yield
        finally:
            self._mode = ""

    def take(self) -> tuple[tuple[Kernel, ...], tuple[Launch, ...]]:
        """What is new since the last call, as much as fits into a reply."""
        kernels, launches = self._new_kernels[:MAX_LAUNCHES], self._new_launches[:MAX_LAUNCHES]
        del self._new_kernels[:MAX_LAUNCHES], self._new_launches[:MAX_LAUNCHES]
        return tuple(kernels), tuple(launches)

    def _note(
        self, kernel: InterpretedFunction, args: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        if kernel.fn.__code__.co_filename != self._path or len(self._launches) >= MAX_KNOWN:
            return
        try:
            bound = inspect.signature(kernel.fn).bind(
                *args, **{n: v for n, v in named.items() if n in kernel.arg_names}
            )
        except TypeError:
            return  # the interpreter itself says what is wrong
        bound.apply_defaults()
        launch = _launch(kernel, bound.arguments, named)
        key = repr(launch).encode()
        if key not in self._launches:
            self._launches.add(key)
            self._new_launches.append(launch)
            self._note_kernel(kernel)

    def _note_kernel(self, kernel: InterpretedFunction | ConstexprFunction) -> None:
        """A function and all that it calls."""
        line = kernel.fn.__code__.co_firstlineno
        if line in self._kernels or kernel.fn.__code__.co_filename != self._path:
            return
        names = {**_names(kernel.fn), **_defaults(kernel.fn)}
        found = Kernel(
            name=short(kernel.fn.__name__, 200),
            line=line,
            names={short(name, 200): _value(value) for name, value in [*names.items()][:64]},
        )
        self._kernels[line] = found
        self._new_kernels.append(found)
        for value in names.values():
            if isinstance(value, InterpretedFunction | ConstexprFunction):
                self._note_kernel(value)


def _launch(
    kernel: InterpretedFunction, bound: Mapping[str, Any], named: Mapping[str, Any]
) -> Launch:
    types: dict[str, str] = {}
    constants: dict[str, Value] = {}
    aligned: list[str] = []
    annotations = inspect.get_annotations(kernel.fn)
    fixed = _as_names(kernel, kernel.kwargs.get("do_not_specialize"))
    for name, value in bound.items():
        if "constexpr" in str(annotations.get(name, "")):
            types[name], constants[name] = "constexpr", _value(value)
            continue
        try:
            kind, key = native_specialize_impl(CUDABackend, value, False, name not in fixed, True)
        except (TypeError, ValueError, OverflowError):
            kind, key = "other", None
        types[name] = short(str(kind), 200)
        for path, part, its_kind, its_key in _parts(name, value, kind, key):
            if its_kind in ("constexpr", "other"):
                constants[path] = _value(part)
            elif its_key == "D":
                aligned.append(path)
    options = {n: int(named[n]) for n in OPTIONS if isinstance(named.get(n), int)}
    return Launch(
        kernel=kernel.fn.__code__.co_firstlineno,
        types=types,
        constants=constants,
        aligned=tuple(aligned),
        options=options,
    )


def _parts(path: str, value: Any, kind: Any, key: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    """An argument, or the parts of a tuple with their paths, each with its type and how it is
    specialised."""
    if not isinstance(kind, tuple):
        yield path, value, kind, key
        return
    for place, each in enumerate(zip(value, kind, key, strict=True)):
        yield from _parts(f"{path}.{place}", *each)


def _as_names(kernel: InterpretedFunction, given: Any) -> set[str]:
    """Parameters given by name or by place, as names."""
    places = dict(enumerate(kernel.arg_names))
    return {places.get(each, str(each)) for each in given or ()}


def _names(function: FunctionType) -> dict[str, Any]:
    """The names in a function's text that its module or an enclosing function defines, with what
    they mean now."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    nodes = [*ast.walk(tree)]
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    closure = inspect.getclosurevars(function).nonlocals
    outer = {**function.__globals__, **closure}
    found = {name: outer[name] for name in sorted(used) if name in outer}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = found.get(node.value.id)
            if isinstance(module, ModuleType) and not _is_triton(module.__name__):
                found[f"{node.value.id}.{node.attr}"] = getattr(module, node.attr, None)
    return found


def _defaults(function: FunctionType) -> dict[str, Any]:
    """The defaults of a function's parameters, by the parameter's name and ``=``."""
    parameters = inspect.signature(function).parameters.values()
    return {f"{p.name}=": p.default for p in parameters if p.default is not p.empty}


def _value(value: Any) -> Value:
    """A value in the form that can be sent."""
    if isinstance(value, tl.constexpr):
        plain = _value(value.value)
        return Value(kind="constexpr", value=plain.value) if plain.kind == "plain" else plain
    if (name := _name_in_triton(value)) is not None:
        return Value(kind="member", value=short(name, 200))
    if isinstance(value, InterpretedFunction):
        return Value(kind="kernel", line=value.fn.__code__.co_firstlineno)
    if isinstance(value, ConstexprFunction):
        return Value(kind="helper", line=value.fn.__code__.co_firstlineno)
    if isinstance(value, tl.dtype):
        return Value(kind="dtype", value=short(str(value), 200))
    if value is None or type(value) in (bool, float):
        return Value(kind="plain", value=value)
    if type(value) is int and -(1 << 63) <= value < 1 << 63:
        return Value(kind="plain", value=value)
    if type(value) is str and len(value) <= 200:
        return Value(kind="plain", value=value)
    if isinstance(value, ModuleType):
        return Value(kind="module", value=short(value.__name__, 200))
    return Value(kind="other", value=short(type(value).__name__, 200))


def _name_in_triton(value: Any) -> str | None:
    """The dotted name of a function or class of Triton's own; None for anything else."""
    inner = getattr(value, "fn", value)
    module, name = getattr(inner, "__module__", None), getattr(inner, "__name__", None)
    if isinstance(module, str) and isinstance(name, str) and _is_triton(module):
        return f"{module}.{name}"
    return None


def _is_triton(module: str) -> bool:
    return module.split(".")[0] == triton.__name__
