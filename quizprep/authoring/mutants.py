"""Mutants of a solution: small changes of its code, which the grader should kill.

A mutant that passes is either equivalent to the solution, and listed with the reason in the
exercise's ``mutants.yaml``, or it shows that a case is missing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

import msgspec

from quizprep.content.library import Exercise
from quizprep.content.loading import load_file

_OPERATORS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}

_UNSEEN = frozenset({"device", "strict", "num_warps", "num_stages"})
"""Keywords that change nothing if everything is on the CPU and lengths agree."""


@dataclass(frozen=True)
class Mutant:
    """One changed solution: the line, the code there before, the code after the change."""

    line: int
    inside: str
    before: str
    after: str
    source: str

    @property
    def change(self) -> str:
        return f"{self.before} -> {self.after}"


class Equivalent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mutant that behaves like the solution, and why. ``inside`` is the line it changes."""

    inside: str
    change: str
    because: str


def equivalents(exercise: Exercise) -> tuple[Equivalent, ...]:
    """The mutants that an exercise lists as equivalent; raises ContentError."""
    path = exercise.folder / "mutants.yaml"
    return load_file(path, tuple[Equivalent, ...]) if path.is_file() else ()


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a source, in a fixed order."""
    tree = ast.parse(source)
    lines = source.splitlines()
    for node, field, place, replacement in _changes(tree):
        changed, before, after = _apply(tree, node, field, place, replacement)
        where = getattr(node, field)[place] if place is not None and replacement is None else node
        line = getattr(where, "lineno", getattr(node, "lineno", 0))
        yield Mutant(line, lines[line - 1].strip() if line else "", before, after, changed)


_Change = tuple[ast.AST, str, int | None, Any]
"""A node, its field, the place in that field if it is a list, and the new value (None: drop)."""


def _changes(tree: ast.Module) -> Iterator[_Change]:
    skipped = _not_code(tree)
    axes = _axes(tree)
    skipped.update(id(axis.operand) for axis in axes.values())
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        match node:
            case ast.UnaryOp(operand=ast.Constant(value=int() as value)) if id(node) in axes:
                for shifted in (value + 1, value - 1):
                    yield node, "operand", None, ast.Constant(shifted)
            case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op):
                for other in _OPERATORS.get(type(op), ()):
                    yield node, "op", None, other()
            case ast.Compare(ops=[op]):
                for other in _OPERATORS.get(type(op), ()):
                    yield node, "ops", 0, other()
            case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
                yield node, "op", None, ast.UAdd() if not isinstance(node.op, ast.Not) else None
            case ast.Constant(value=bool() as value):
                yield node, "value", None, not value
            case ast.Constant(value=int() | float() as value):
                yield node, "value", None, value + 1
            case ast.If() | ast.IfExp() | ast.While():
                yield node, "test", None, ast.Constant(value=True)
                yield node, "test", None, ast.Constant(value=False)
            case ast.Slice():
                for side in ("lower", "upper"):
                    if getattr(node, side) is not None and not _begins_at_0(node, side):
                        yield node, side, None, None
            case ast.Call(keywords=keywords):
                for place, keyword in enumerate(keywords):
                    if keyword.arg not in _UNSEEN:
                        yield node, "keywords", place, None
        for field in ("body", "orelse"):
            for place, child in enumerate(_statements(node, field)):
                if id(child) not in skipped and _can_go(child):
                    yield node, field, place, None


def _axes(tree: ast.Module) -> dict[int, ast.UnaryOp]:
    """Indices counted from the end, such as both in ``x.shape[-2:].sum(dim=-1)``, by node id.

    They are shifted, but keep their sign: in an array of fixed rank the axis 2 is one of -1, -2,
    ..., so a positive index is the same mutant as a shifted one.
    """
    found: list[ast.AST | None] = []
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(slice=ast.Tuple(elts=parts)):
                found += parts
            case ast.Subscript(slice=part):
                found.append(part)
            case ast.Slice(lower=lower, upper=upper):
                found += [lower, upper]
            case ast.Call(args=args, keywords=keywords):
                found += [*args, *(keyword.value for keyword in keywords)]
            case ast.arguments(defaults=defaults):
                found += defaults
    return {id(part): part for part in found if _is_negative_integer(part)}


def _begins_at_0(node: ast.Slice, side: str) -> bool:
    """Whether a bound is the 0 of ``[0::2]``, which changes nothing if it is left out."""
    forward = not isinstance(node.step, ast.UnaryOp)
    return side == "lower" and forward and ast.unparse(node.lower or node) == "0"


def _is_negative_integer(node: ast.AST | None) -> TypeGuard[ast.UnaryOp]:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=bool())):
            return False
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int())):
            return True
    return False


def _statements(node: ast.AST, field: str) -> list[ast.AST]:
    value = getattr(node, field, None)
    return value if isinstance(value, list) else []


def _can_go(statement: ast.AST) -> bool:
    return isinstance(
        statement, ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Break | ast.Continue
    )


def _not_code(tree: ast.Module) -> set[int]:
    """The ids of docstrings, annotations, messages and keywords that do not affect results."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        aside: list[ast.AST | None] = []
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            aside.append(node)
        if isinstance(node, ast.FunctionDef):
            aside.append(node.returns)
        if isinstance(node, ast.arg | ast.AnnAssign):
            aside.append(node.annotation)
        if isinstance(node, ast.Raise):
            aside.append(node)
        if isinstance(node, ast.keyword) and node.arg in _UNSEEN:
            aside.append(node.value)
        for part in aside:
            if part is not None:
                skipped.update(id(inner) for inner in ast.walk(part))
    return skipped


def _apply(
    tree: ast.Module, node: ast.AST, field: str, place: int | None, replacement: Any
) -> tuple[str, str, str]:
    """The source with one change, and the code before and after it.

    The tree is changed in place and restored: copying it for every mutant takes longer than all
    the rest.
    """
    if place is not None:
        values: list[Any] = getattr(node, field)
        kept = list(values)
        if replacement is None:
            before, after = _text(values[place]), "nothing"
            del values[place]
            if not values and field == "body":
                values.append(ast.Pass())
        else:
            before = ast.unparse(node)
            values[place] = replacement
            after = ast.unparse(node)
        source = ast.unparse(ast.fix_missing_locations(tree))
        values[:] = kept
        return source, before, after
    if isinstance(node, ast.UnaryOp) and replacement is None:
        # The operand replaces the negation.
        before, after = ast.unparse(node), ast.unparse(node.operand)
        _replace(tree, node, node.operand)
        source = ast.unparse(tree)
        _replace(tree, node.operand, node)
        return source, before, after
    value = getattr(node, field)
    before = _short(node, field)
    setattr(node, field, replacement)
    after, source = _short(node, field), ast.unparse(ast.fix_missing_locations(tree))
    setattr(node, field, value)
    return source, before, after


def _text(piece: Any) -> str:
    return ast.unparse(piece) if isinstance(piece, ast.AST) else str(piece)


def _short(node: ast.AST, field: str) -> str:
    """A node as source; of an if or a while, only its condition."""
    if field == "test":
        return f"if {ast.unparse(node.test)}"  # type: ignore[attr-defined]
    return ast.unparse(node)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                value[:] = [new if item is old else item for item in value]
