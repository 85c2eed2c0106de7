"""What one statement of a submission might have been meant to be."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from itertools import permutations

from quizprep.worker.learner.scope import (
    ARITHMETIC,
    Rewrite,
    Scope,
    changed,
    integer,
    is_index,
    method_call,
    name_node,
    new_axis,
    plus,
    with_item,
    without_nan,
)


def statement_rewrites(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """What a statement might have been meant to be."""
    match node:
        case ast.AugAssign(target=target, op=op, value=value):
            load = copy.copy(target)
            load.ctx = ast.Load()
            for other in ARITHMETIC.get(type(op), ()):
                yield "arithmetic", changed(node, op=other())
            yield "copy", ast.Assign([target], ast.BinOp(load, op, value))
            yield "drop operand", ast.Assign([target], value)
            yield "drop statement", ast.Pass()
        case ast.Assign(value=ast.BinOp(op=ast.Add() | ast.Sub()) as value) if is_index(value):
            for number in (1, -1):
                yield "offset", changed(node, value=plus(value, number))
            yield "drop statement", ast.Pass()
        case ast.Assign() | ast.AnnAssign() | ast.Expr() | ast.Continue() | ast.Break():
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                yield "drop statement", ast.Pass()
            yield from _assigned(node, scope)
        case ast.If() | ast.While():
            yield from _conditions(node)
        case ast.Return(value=ast.expr() as value):
            yield from _returned(node, value, scope)


def _assigned(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """A value that is added to the old one, or the larger of both, instead of replacing it; a
    result that is dropped; a shift that is more than 0."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name) as target], value=value):
            if isinstance(value, ast.Call | ast.BinOp):
                yield "arithmetic", ast.AugAssign(target, ast.Add(), value)
                larger = method_call(name_node(scope.arrays), "maximum", name_node(name), value)
                yield "term", changed(node, value=larger)
                for other in scope.locals:
                    if other != name:
                        yield "name", changed(node, value=name_node(other))
            if integer(value) == 0:
                sizes = dict.fromkeys((*scope.lengths, *scope.sizes))
                for one, two in permutations([*sizes][:5], 2):
                    shift = ast.BinOp(name_node(one), ast.Sub(), name_node(two))
                    yield "alignment", changed(node, value=shift)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if (
            name in scope.names
        ):
            yield "copy", ast.Assign([ast.Name(name, ast.Store())], node.value)


def _conditions(node: ast.If | ast.While) -> Iterator[Rewrite]:
    yield "condition", changed(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.If):
        yield "condition", changed(node, test=ast.Constant(True))
        yield "condition", changed(node, test=ast.Constant(False))


def _returned(node: ast.Return, value: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Outputs without NaN, and in the dtype of the first input."""
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    for place, part in enumerate(parts):
        made = [("guard", without_nan(part, scope))]
        for name in scope.locals:
            for divisor in (name_node(name), new_axis(name_node(name))):
                made.append(("factor", ast.BinOp(part, ast.Div(), divisor)))
        if scope.parameters:
            dtype = ast.Attribute(name_node(scope.parameters[0]), "dtype", ast.Load())
            made.append(("upcast", method_call(part, scope.cast, dtype)))
        for kind, new in made:
            whole = changed(value, elts=with_item(parts, place, new)) if len(parts) > 1 else new
            yield kind, changed(node, value=whole)
