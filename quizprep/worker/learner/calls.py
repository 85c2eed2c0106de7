"""What a call might have been meant to be: another function, another axis, a cast, a scale."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import permutations

from quizprep.worker.learner.scope import (
    Rewrite,
    Scope,
    called_name,
    changed,
    integer,
    method_call,
    name_node,
    number_node,
    plus,
    with_item,
    without_item,
    without_nan,
)

_METHODS = [
    ("triu", "tril"),
    ("max", "min"),
    ("amax", "amin"),
    ("maximum", "minimum"),
    ("fmax", "fmin"),
    ("sum", "mean"),
    ("sum", "amax"),
    ("sum", "max"),
    ("exp", "exp2"),
    ("log", "log2"),
    ("log", "log1p"),
    ("exp", "log"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("sin", "cos"),
    ("floor", "ceil"),
    ("floor", "round"),
    ("trunc", "round"),
    ("argmax", "argmin"),
    ("cummax", "cummin"),
    ("repeat_interleave", "repeat"),
    ("repeat", "tile"),
    ("repeat_interleave", "tile"),
    ("cat", "stack"),
    ("concatenate", "stack"),
    ("reshape", "transpose"),
    ("add", "sub"),
    ("add_", "sub_"),
    ("mul", "div"),
    ("mul_", "div_"),
    ("logical_and", "logical_or"),
    ("masked_fill_", "masked_fill"),
    ("append", "extend"),
    ("any", "all"),
    ("insert", "append"),
]
_SWAPS: dict[str, list[str]] = {}
for _one, _two in _METHODS:
    _SWAPS.setdefault(_one, []).append(_two)
    _SWAPS.setdefault(_two, []).append(_one)

_COUNTING = frozenset(
    {"range", "arange", "triu", "tril", "split", "narrow", "islice", "roll", "min", "max"}
)
"""Functions whose numbers are positions."""

_REDUCTIONS = frozenset(
    {"sum", "max", "min", "amax", "amin", "mean", "logsumexp", "prod", "any", "all"}
)

_TRIANGLES = frozenset({"triu", "tril", "triu_indices", "tril_indices", "tri"})


def call_rewrites(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    name = called_name(node)
    args = node.args
    if any(isinstance(each, ast.Starred) for each in args):
        return
    on_array = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in scope.aliases
    )
    for other in _SWAPS.get(name, ()):
        key = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield "method", changed(node, func=changed(node.func, **{key: other}))
    yield from _positions(node, name, scope)
    if on_array and isinstance(node.func, ast.Attribute):
        yield "drop call", node.func.value
        if name.endswith("_") and not name.startswith("_"):
            yield "copy", changed(node, func=changed(node.func, attr=name[:-1]))
    elif args and name not in ("range", "len", "isinstance"):
        yield "drop call", args[0]
    for place in range(len(node.keywords)):
        yield "drop keyword", changed(node, keywords=without_item(node.keywords, place))
    if len(args) > 1:
        yield "drop keyword", changed(node, args=args[:-1])
    for place in range(len(args) - 1):
        swapped = with_item(with_item(args, place, args[place + 1]), place + 1, args[place])
        yield "swap", changed(node, args=swapped)
    if name in _REDUCTIONS:
        word = "keepdim" if scope.arrays == "torch" and not scope.kernel else "keepdims"
        if not any(each.arg in ("keepdim", "keepdims") for each in node.keywords):
            keep = ast.keyword(word, ast.Constant(True))
            yield "keepdim", changed(node, keywords=[*node.keywords, keep])
    if name in ("softmax", "log_softmax", "exp", "div", "where"):
        yield "guard", without_nan(node, scope)
    if name in ("matmul", "bmm", "einsum", "dot", "baddbmm") and args:
        at_args = not on_array or name == "einsum"
        first = args[min(name == "einsum", len(args) - 1)] if at_args else node.func
        if isinstance(first, ast.Attribute) and first is node.func:
            first = first.value
        yield from product_rewrites(node, first, scope)
        if name in ("baddbmm", "addmm") and at_args and len(args) > 1:
            for kind, scaled in product_rewrites(args[1], args[1], scope):
                yield kind, changed(node, args=with_item(args, 1, scaled))
        for place in range(len(args)):
            if name != "einsum":
                turned = with_item(args, place, transposed(args[place], scope))
                yield "transpose", changed(node, args=turned)
    if name in ("zeros", "new_zeros", "zeros_like"):
        yield "constant", ast.BinOp(node, ast.Sub(), number_node(float("inf")))
    if name == "log":
        for other in scope.locals:
            yield "term", ast.BinOp(node, ast.Add(), name_node(other))
    if name == "sqrt":
        yield "scale", ast.BinOp(number_node(1.0), ast.Div(), node)
    if name == "load" and not any(each.arg == "other" for each in node.keywords):
        for value in (0.0, float("-inf")):
            other_value = ast.keyword("other", number_node(value))
            yield "guard", changed(node, keywords=[*node.keywords, other_value])
    if name in ("float", "double", "half", "bfloat16", "astype", "to") and not scope.kernel:
        yield from _casts(node, scope)


def _positions(node: ast.Call, name: str, scope: Scope) -> Iterator[Rewrite]:
    """Offsets of the arguments of range, arange and the like, and diagonals of triangles."""
    if name in _COUNTING:
        for place, value in enumerate(node.args):
            if integer(value) is None and isinstance(value, ast.Name | ast.BinOp | ast.Attribute):
                for number in (1, -1):
                    yield (
                        "offset",
                        changed(node, args=with_item(node.args, place, plus(value, number))),
                    )
    if name not in _TRIANGLES:
        return
    word = "diagonal" if scope.arrays == "torch" else "k"
    places = [p for p, each in enumerate(node.keywords) if each.arg in ("diagonal", "k")]
    at_method = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in scope.aliases
    )
    at = 0 if at_method else 1
    now: ast.expr = node.keywords[places[0]].value if places else number_node(0)
    now = node.args[at] if not places and len(node.args) > at else now
    sizes = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in scope.names]
    pairs = list(permutations(dict.fromkeys([*sizes, *scope.lengths]), 2))[:12]
    more = [plus(now, 1), plus(now, -1)]
    for one, two in pairs:
        shift = ast.BinOp(name_node(one), ast.Sub(), name_node(two))
        more.append(shift if integer(now) == 0 else ast.BinOp(now, ast.Add(), shift))
    for place, value in enumerate(more):
        kind = "diagonal" if place < 2 else "alignment"
        rest = [each for p, each in enumerate(node.keywords) if p not in places]
        args = node.args[:at] if not places else node.args
        yield kind, changed(node, args=args, keywords=[*rest, ast.keyword(word, value)])


def _casts(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """A cast to at least float32 instead of to just this dtype."""
    if not isinstance(node.func, ast.Attribute) or scope.arrays != "torch":
        return
    value = node.func.value
    own = ast.Attribute(value, "dtype", ast.Load())
    single = ast.Attribute(name_node("torch"), "float32", ast.Load())
    yield (
        "upcast",
        method_call(value, "to", method_call(name_node("torch"), "promote_types", own, single)),
    )
    if scope.parameters:
        first = ast.Attribute(name_node(scope.parameters[0]), "dtype", ast.Load())
        yield "upcast", method_call(value, "to", first)


def transposed(value: ast.expr, scope: Scope) -> ast.expr:
    name = "transpose" if scope.arrays == "torch" else "swapaxes"
    return method_call(value, name, number_node(-2), number_node(-1))


def product_rewrites(product: ast.expr, first: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """A product, scaled by the size of its first factor's rows."""
    if scope.kernel:
        return
    last = ast.Subscript(ast.Attribute(first, "shape", ast.Load()), number_node(-1), ast.Load())
    for half in (-0.5, 0.5):
        root = ast.BinOp(last, ast.Pow(), number_node(half))
        yield "scale", ast.BinOp(product, ast.Mult(), root)
