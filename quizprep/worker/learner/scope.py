"""What is known where an expression of a submission stands, and how new nodes are built."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

Rewrite = tuple[str, ast.AST]
"""The kind of an edit, and the node that replaces the one at hand."""


_LENGTHS = frozenset({"arange", "ones", "full", "zeros", "empty", "tri"})

ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mod,),
    ast.Mod: (ast.FloorDiv,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}


@dataclass(frozen=True)
class Scope:
    """What is known where an expression stands.

    arrays      the name of the array library, ``torch`` or ``np`` as a rule
    names       names that the function binds, its parameters first
    parameters  of the innermost function
    sizes       names that are bound to sizes, taken from a shape
    lengths     names in the arguments of arange, ones and the like, which positions run over
    attributes  of ``self`` in the class around
    kernel      whether this is a Triton kernel
    """

    arrays: str = "torch"
    names: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    lengths: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    kernel: bool = False
    aliases: frozenset[str] = frozenset()

    @property
    def locals(self) -> tuple[str, ...]:
        """Names that may hold arrays, other than the inputs."""
        aside = {*self.parameters, *self.sizes, *self.lengths}
        return tuple(name for name in self.names if name not in aside)[:24]

    @property
    def cast(self) -> str:
        """The method that casts an array to a dtype."""
        return "to" if self.arrays == "torch" or self.kernel else "astype"

    @property
    def copied(self) -> str:
        """The method that copies an array."""
        return "clone" if self.arrays == "torch" else "copy"

    @staticmethod
    def of(tree: ast.Module) -> Scope:
        """The scope of a module's top level."""
        aliases = {
            name.asname or name.name.partition(".")[0]: name.name
            for node in tree.body
            if isinstance(node, ast.Import)
            for name in node.names
        }
        known = [alias for alias, name in aliases.items() if name in ("torch", "numpy")]
        first = sorted(known, key=lambda alias: aliases[alias] != "torch")
        return Scope(arrays=first[0] if first else "torch", aliases=frozenset(aliases))

    def inside(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Scope:
        """The scope inside a function or class."""
        if isinstance(node, ast.ClassDef):
            found = {
                inner.attr: None
                for inner in ast.walk(node)
                if isinstance(inner, ast.Attribute)
                and isinstance(inner.value, ast.Name)
                and inner.value.id == "self"
            }
            return replace(self, attributes=tuple(found))
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        parameters = tuple(each.arg for each in every if each.arg != "self")
        bound, sizes, lengths = dict.fromkeys(parameters), dict[str, None](), dict[str, None]()
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call) and called_name(inner) in _LENGTHS:
                lengths.update((each.id, None) for each in inner.args if isinstance(each, ast.Name))
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                bound[inner.id] = None
            if isinstance(inner, ast.Assign) and _is_size(inner.value):
                for target in inner.targets:
                    sizes.update(
                        dict.fromkeys(n.id for n in ast.walk(target) if isinstance(n, ast.Name))
                    )
        kernel = any("jit" in ast.unparse(each) for each in node.decorator_list)
        return replace(
            self,
            names=tuple({**dict.fromkeys(self.names), **bound}),
            parameters=parameters or self.parameters,
            sizes=tuple(dict.fromkeys((*self.sizes, *sizes))),
            lengths=tuple(lengths),
            kernel=kernel or self.kernel,
        )


def _is_size(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple):
        return all(_is_size(each) for each in value.elts)
    while isinstance(value, ast.Subscript):
        value = value.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Attribute | ast.Name) and (
            getattr(value.func, "attr", "") == "size" or getattr(value.func, "id", "") == "len"
        )
    return isinstance(value, ast.Attribute) and value.attr == "shape"


# --- building nodes ------------------------------------------------------------------------


def number_node(value: float) -> ast.expr:
    if value < 0 or str(value).startswith("-"):
        return ast.UnaryOp(ast.USub(), number_node(-value))
    if value == float("inf"):
        return ast.Call(name_node("float"), [ast.Constant("inf")], [])
    return ast.Constant(value)


def name_node(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def method_call(value: ast.expr, name: str, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    made = [ast.keyword(key, each) for key, each in keywords.items()]
    return ast.Call(ast.Attribute(value, name, ast.Load()), list(args), made)


def plus(value: ast.expr, number: int) -> ast.expr:
    """The value plus a small number, folded where it is a number itself."""
    known = integer(value)
    if known is not None:
        return number_node(known + number)
    op = ast.Add() if number > 0 else ast.Sub()
    return ast.BinOp(value, op, ast.Constant(abs(number)))


def integer(node: ast.AST | None) -> int | None:
    """The value of an integer, with its sign."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            value_inside = integer(inner)
            return None if value_inside is None else -value_inside
    return None


def changed(node: Any, **fields: Any) -> Any:
    """A shallow copy with other fields."""
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def with_item(values: Sequence[Any], place: int, value: Any) -> list[Any]:
    return [*values[:place], value, *values[place + 1 :]]


def without_item(values: Sequence[Any], place: int) -> list[Any]:
    return [*values[:place], *values[place + 1 :]]


def called_name(node: ast.Call) -> str:
    """The name of the function or method that is called."""
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def without_nan(value: ast.expr, scope: Scope) -> ast.expr:
    """The value with 0 for NaN."""
    if scope.kernel:
        tl = name_node("tl")
        same = ast.Compare(value, [ast.Eq()], [value])
        return method_call(tl, "where", same, value, number_node(0.0))
    return method_call(name_node(scope.arrays), "nan_to_num", value, nan=number_node(0.0))


def new_axis(value: ast.expr) -> ast.expr:
    """The value with a new last axis."""
    index = ast.Tuple([ast.Constant(...), ast.Constant(None)], ast.Load())
    return ast.Subscript(value, index, ast.Load())


def is_index(value: ast.expr) -> bool:
    """Whether a value is a sum of names and numbers, as positions are."""
    if isinstance(value, ast.BinOp) and not isinstance(value.op, ast.MatMult | ast.Div):
        return is_index(value.left) and is_index(value.right)
    return isinstance(value, ast.Name | ast.Attribute) or integer(value) is not None
