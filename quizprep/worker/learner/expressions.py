"""What one expression or statement of a submission might have been meant to be.

Only what other people's slips called for: a comparison, a sign, an offset, an axis, a triangle's
diagonal, swapped arguments, a missing scale, cast or guard, a bound, another name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import permutations

from quizprep.worker.learner.calls import call_rewrites, product_rewrites, transposed
from quizprep.worker.learner.scope import (
    ARITHMETIC,
    Rewrite,
    Scope,
    changed,
    is_index,
    method_call,
    name_node,
    new_axis,
    number_node,
    plus,
    with_item,
    without_item,
    without_nan,
)

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt, ast.GtE),
    ast.Gt: (ast.GtE, ast.LtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}


FEW_NAMES = 24
"""Up to so many names in a function each is tried in the place of each."""


def rewrites(node: ast.expr, scope: Scope, parent: ast.AST, field: str) -> Iterator[Rewrite]:
    """What the expression might have been meant to be; ``field`` of ``parent`` holds it."""
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        if isinstance(node, ast.Subscript):
            yield from _subscript(node)
        return
    match node:
        case ast.Compare():
            yield from _comparison(node, scope)
        case ast.Constant() | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            if not _inside_minus(parent):
                yield from _constant(node, parent, field)
                if isinstance(parent, ast.keyword) and parent.arg in scope.names:
                    yield "flag", name_node(parent.arg)
        case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub()):
            yield "condition", node.operand
        case ast.BinOp():
            yield from _arithmetic(node, scope)
        case ast.BoolOp():
            yield (
                "condition",
                changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And()),
            )
            for place in range(len(node.values)):
                rest = without_item(node.values, place)
                yield "drop operand", rest[0] if len(rest) == 1 else changed(node, values=rest)
        case ast.Call():
            yield from call_rewrites(node, scope)
        case ast.Subscript():
            yield from _subscript(node)
        case ast.IfExp():
            yield "condition", node.body
            yield "condition", node.orelse
            yield "condition", changed(node, body=node.orelse, orelse=node.body)
        case ast.Tuple(elts=elts) if len(elts) in (2, 3):
            for place in range(len(elts) - 1):
                swapped = with_item(with_item(elts, place, elts[place + 1]), place + 1, elts[place])
                yield "swap", changed(node, elts=swapped)
        case ast.Name() if field != "func":
            yield from _names(node, scope, parent)
        case ast.Attribute():
            yield from _attribute(node, scope, field)


def _inside_minus(parent: ast.AST) -> bool:
    return isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub)


def _comparison(node: ast.Compare, scope: Scope) -> Iterator[Rewrite]:
    for place, op in enumerate(node.ops):
        for other in _COMPARISONS.get(type(op), ()):
            yield "compare", changed(node, ops=with_item(node.ops, place, other()))
        if isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            right = node.comparators[place]
            for number in (1, -1):
                moved = with_item(node.comparators, place, plus(right, number))
                yield "offset", changed(node, comparators=moved)
            for one, two in permutations(scope.lengths[:4], 2):
                more = ast.BinOp(name_node(one), ast.Sub(), name_node(two))
                moved = with_item(node.comparators, place, ast.BinOp(right, ast.Add(), more))
                yield "alignment", changed(node, comparators=moved)
    if len(node.ops) > 1:
        yield "drop operand", changed(node, ops=node.ops[1:], left=node.comparators[0],
                                       comparators=node.comparators[1:])  # fmt: skip
        yield "drop operand", changed(node, ops=node.ops[:-1], comparators=node.comparators[:-1])


def _constant(node: ast.expr, parent: ast.AST, field: str) -> Iterator[Rewrite]:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    assert isinstance(inner, ast.Constant)
    value = inner.value
    if isinstance(value, bool):
        yield "flag", ast.Constant(not value)
    elif isinstance(value, int):
        number = -value if inner is not node else value
        tried = [number + 1, number - 1]
        if number:
            tried += [-number, 0]
        if number < 0:
            tried += [-1, -2, -3]
        if number not in (0, 1, 2):
            tried += [1]
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Pow):
            tried += [-number]
        for other in dict.fromkeys(tried):
            if other != number:
                yield "constant", number_node(other)
        if number == 0 or number < -3:
            yield "constant", number_node(float("-inf"))
    elif isinstance(value, float):
        real = -value if inner is not node else value
        others = [-real, float("-inf")] if real <= 0 else [-real]
        others += [1.0, 0.0, 1 / real] if real else [1.0]
        for each in others:
            if each != real or str(each) != str(real):
                yield "constant", number_node(each)
    elif isinstance(value, str) and field != "value":
        if value in ("inf", "-inf"):
            yield "constant", ast.Constant(value[1:] if value[0] == "-" else f"-{value}")
        elif "->" in value:
            for text in _einsum(value):
                yield "einsum", ast.Constant(text)


def _einsum(text: str) -> Iterator[str]:
    """Formulas of einsum that differ by two letters of one term, or by one letter."""
    left, _, right = text.replace(" ", "").partition("->")
    terms = [*left.split(","), right]

    def joined(place: int, term: str) -> str:
        *operands, out = with_item(terms, place, term)
        return f"{','.join(operands)}->{out}"

    letters = dict.fromkeys(c for term in terms for c in term if c.isalpha())
    for place, term in enumerate(terms):
        spots = [i for i, c in enumerate(term) if c.isalpha()]
        for i in spots:
            for j in spots:
                if i < j:
                    swapped = list(term)
                    swapped[i], swapped[j] = term[j], term[i]
                    yield joined(place, "".join(swapped))
    for place, term in enumerate(terms):
        for i in (i for i, c in enumerate(term) if c.isalpha()):
            for letter in letters:
                if letter not in term:
                    yield joined(place, term[:i] + letter + term[i + 1 :])


def _arithmetic(node: ast.BinOp, scope: Scope) -> Iterator[Rewrite]:
    for other in ARITHMETIC.get(type(node.op), ()):
        yield "arithmetic", changed(node, op=other())
    yield "drop operand", node.left
    yield "drop operand", node.right
    if isinstance(node.left, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield "drop operand", node.left.left
        yield "drop operand", changed(node, left=node.left.left)
    if isinstance(node.op, ast.FloorDiv | ast.Mod):
        for one, two in permutations(scope.sizes[:6], 2):
            ratio = ast.BinOp(name_node(one), ast.FloorDiv(), name_node(two))
            yield "alignment", changed(node, op=ast.FloorDiv(), right=ratio)
    if isinstance(node.op, ast.Add):
        yield from _factors(node, scope)
    if isinstance(node.op, ast.FloorDiv):
        minus = ast.UnaryOp(ast.USub(), node.left)
        yield "bound", ast.UnaryOp(ast.USub(), changed(node, left=minus))
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.FloorDiv | ast.Mod):
        yield "swap", changed(node, left=node.right, right=node.left)
    if isinstance(node.op, ast.MatMult):
        yield from product_rewrites(node, node.left, scope)
        for side in ("left", "right"):
            turned = transposed(getattr(node, side), scope)
            yield "transpose", changed(node, **{side: turned})
    if isinstance(node.op, ast.Div | ast.Mult):
        for half in (0.5, -0.5):
            root = ast.BinOp(node.right, ast.Pow(), number_node(half))
            yield "scale", changed(node, right=root)
    if isinstance(node.op, ast.Div):
        yield "guard", without_nan(node, scope)
    if isinstance(node.op, ast.Sub):
        # -inf - -inf is NaN: the maximum of a row that sees nothing.
        yield "guard", changed(node, right=_finite(node.right, scope))


def _factors(node: ast.BinOp, scope: Scope) -> Iterator[Rewrite]:
    """A running sum whose old part is not rescaled: ``acc + x`` for ``acc * shrink + x``."""
    if isinstance(node.left, ast.Name | ast.Attribute | ast.Subscript) and not is_index(node):
        for name in scope.locals:
            yield "factor", changed(node, left=ast.BinOp(node.left, ast.Mult(), name_node(name)))
            last = ast.BinOp(node.left, ast.Mult(), new_axis(name_node(name)))
            yield "factor", changed(node, left=last)


def _finite(value: ast.expr, scope: Scope) -> ast.expr:
    """The value with 0 for -inf."""
    low = ast.Compare(value, [ast.Eq()], [number_node(float("-inf"))])
    library = "tl" if scope.kernel else scope.arrays
    return method_call(name_node(library), "where", low, number_node(0.0), value)


def _subscript(node: ast.Subscript) -> Iterator[Rewrite]:
    if isinstance(node.ctx, ast.Load):
        yield "drop index", node.value
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]

    def indexed(place: int, part: ast.expr) -> ast.expr:
        if not isinstance(node.slice, ast.Tuple):
            made: ast.expr = changed(node, slice=part)
        else:
            made = changed(node, slice=changed(node.slice, elts=with_item(parts, place, part)))
        return made

    for place, part in enumerate(parts):
        if isinstance(part, ast.Slice):
            for side in ("lower", "upper"):
                bound = getattr(part, side)
                if bound is None:
                    if side == "lower":
                        yield "bound", indexed(place, changed(part, lower=number_node(1)))
                    continue
                for number in (1, -1):
                    moved = changed(part, **{side: plus(bound, number)})
                    yield "offset", indexed(place, moved)
                yield "bound", indexed(place, changed(part, **{side: None}))
        elif isinstance(part, ast.Name | ast.BinOp):
            for number in (1, -1):
                yield "offset", indexed(place, plus(part, number))
    if isinstance(node.slice, ast.Tuple):
        for place in range(len(parts) - 1):
            swapped = with_item(with_item(parts, place, parts[place + 1]), place + 1, parts[place])
            yield "swap", changed(node, slice=changed(node.slice, elts=swapped))


def _names(node: ast.Name, scope: Scope, parent: ast.AST) -> Iterator[Rewrite]:
    """Another name of the same function; one that is spelled alike is likelier."""
    if node.id not in scope.names:
        return
    for other in scope.names:
        if other != node.id:
            if _alike(node.id, other, scope):
                yield "similar name", name_node(other)
            elif len(scope.names) <= FEW_NAMES:
                yield "name", name_node(other)
    if isinstance(parent, ast.Assign | ast.keyword | ast.List | ast.Return):
        yield "copy", method_call(node, scope.copied)
    if scope.kernel or node.id in scope.sizes:
        return
    if node.id in scope.parameters and isinstance(parent, ast.BinOp | ast.Call | ast.Assign):
        kind = "float32" if scope.arrays == "torch" else "float64"
        wide = ast.Attribute(name_node(scope.arrays), kind, ast.Load())
        yield "upcast", method_call(node, scope.cast, wide)


def _alike(one: str, two: str, scope: Scope) -> bool:
    """Whether two names are easily taken for one another."""
    for kind in (scope.sizes, scope.parameters):
        if one in kind and two in kind:
            return True
    if len(one) == 1 or len(two) == 1:
        return one not in scope.sizes and two not in scope.sizes and len(one) == len(two)
    parts, others = one.lower().split("_"), two.lower().split("_")
    if len(parts) > 1 and len(others) > 1:
        return parts[0] == others[0] or parts[-1] == others[-1]
    return one in two or two in one


def _attribute(node: ast.Attribute, scope: Scope, field: str) -> Iterator[Rewrite]:
    of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
    if of_self and field != "func":
        for other in scope.attributes:
            if other != node.attr:
                yield "attribute", changed(node, attr=other)
        yield "copy", method_call(node, scope.copied)
    if node.attr in ("float16", "bfloat16", "half", "int8", "int32", "int64", "long"):
        yield "upcast", changed(node, attr="float32")
    if (
        node.attr in ("dtype", "float16", "bfloat16")
        and scope.arrays == "torch"
        and not scope.kernel
    ):
        yield "upcast", ast.Attribute(name_node("torch"), "float32", ast.Load())
    if node.attr in ("float32", "dtype") and scope.parameters and not scope.kernel:
        first = ast.Attribute(name_node(scope.parameters[0]), "dtype", ast.Load())
        if scope.arrays == "torch":
            single = ast.Attribute(name_node("torch"), "float32", ast.Load())
            yield "upcast", method_call(name_node("torch"), "promote_types", first, single)
        if node.attr == "float32":
            yield "upcast", first
    if node.attr in ("T", "mT"):
        yield "transpose", node.value
