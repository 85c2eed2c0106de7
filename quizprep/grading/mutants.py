"""Mutants of a solution: small changes of its code, each of which the grader should kill.

A mutant that passes is either equivalent, and then listed with the reason in the exercise's
``mutants.yaml``, or shows a case that is missing.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
"""Keywords that change nothing where everything is on the CPU and lengths agree."""


@dataclass(frozen=True)
class Mutant:
    """One changed solution: the line it is on, what was there, what is there now."""

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
    """Every mutant of a source, in the order of its lines. The same each time."""
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
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        match node:
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
                    if getattr(node, side) is not None:
                        yield node, side, None, None
            case ast.Call(keywords=keywords):
                for place, keyword in enumerate(keywords):
                    if keyword.arg not in _UNSEEN:
                        yield node, "keywords", place, None
        for field in ("body", "orelse"):
            for place, child in enumerate(_statements(node, field)):
                if id(child) not in skipped and _can_go(child):
                    yield node, field, place, None


def _statements(node: ast.AST, field: str) -> list[ast.AST]:
    value = getattr(node, field, None)
    return value if isinstance(value, list) else []


def _can_go(statement: ast.AST) -> bool:
    return isinstance(
        statement, ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Break | ast.Continue
    )


def _not_code(tree: ast.Module) -> set[int]:
    """Docstrings, annotations and imports: changing them changes nothing."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        aside: list[ast.AST | None] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                aside.append(first)
        if isinstance(node, ast.FunctionDef):
            aside.append(node.returns)
        if isinstance(node, ast.arg | ast.AnnAssign):
            aside.append(node.annotation)
        if isinstance(node, ast.Raise):
            aside.append(node)
        for part in aside:
            if part is not None:
                skipped.update(id(inner) for inner in ast.walk(part))
    return skipped


def _apply(
    tree: ast.Module, node: ast.AST, field: str, place: int | None, replacement: Any
) -> tuple[str, str, str]:
    """The source with one change, and the changed piece before and after."""
    # The copy's nodes are in the same order as the originals, which is how the node is found.
    position = next(i for i, other in enumerate(ast.walk(tree)) if other is node)
    changed = copy.deepcopy(tree)
    twin = next(other for i, other in enumerate(ast.walk(changed)) if i == position)
    before = _piece(node, field, place)
    if place is not None:
        values = getattr(twin, field)
        if replacement is None:
            del values[place]
            if not values and field == "body":
                values.append(ast.Pass())
        else:
            values[place] = replacement
        after = "nothing" if replacement is None else ast.unparse(twin)
        if replacement is not None:
            before = ast.unparse(node)
    elif isinstance(node, ast.UnaryOp) and replacement is None:
        before, after = ast.unparse(node), ast.unparse(node.operand)
        _replace(changed, twin, twin.operand)  # type: ignore[attr-defined]
    else:
        setattr(twin, field, replacement)
        before, after = _short(node, field), _short(twin, field)
    ast.fix_missing_locations(changed)
    return ast.unparse(changed), before, after


def _piece(node: ast.AST, field: str, place: int | None) -> str:
    value = getattr(node, field)
    piece = value[place] if place is not None else value
    return ast.unparse(piece) if isinstance(piece, ast.AST) else str(piece)


def _short(node: ast.AST, field: str) -> str:
    """A node as text; of an if or a while only its condition."""
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
