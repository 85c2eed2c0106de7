"""What one expression or statement of a submission might have been meant to be.

Only what other people's slips called for: a comparison, a sign, an offset, an axis, a triangle's
diagonal, swapped arguments, a missing scale, cast or guard, a bound, another name.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

Rewrite = tuple[str, ast.AST]
"""The kind of an edit, and the node that replaces the one at hand."""


@dataclass(frozen=True)
class Scope:
    """What is known where an expression stands.

    arrays      the name of the array library, ``torch`` or ``np`` as a rule
    names       names that the function binds, its parameters first
    parameters  of the innermost function
    sizes       names that are bound to sizes: taken from a shape, or to a number
    attributes  of ``self`` in the class around
    kernel      whether this is a Triton kernel
    """

    arrays: str = "torch"
    names: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    kernel: bool = False
    aliases: frozenset[str] = frozenset()

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
        bound, sizes = dict.fromkeys(parameters), dict[str, None]()
        for inner in ast.walk(node):
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


def _number(value: float) -> ast.expr:
    if value < 0 or str(value).startswith("-"):
        return ast.UnaryOp(ast.USub(), _number(-value))
    if value == float("inf"):
        return ast.Call(_name("float"), [ast.Constant("inf")], [])
    return ast.Constant(value)


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _method(value: ast.expr, name: str, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    made = [ast.keyword(key, each) for key, each in keywords.items()]
    return ast.Call(ast.Attribute(value, name, ast.Load()), list(args), made)


def _plus(value: ast.expr, number: int) -> ast.expr:
    """The value plus a small number, folded where it is a number itself."""
    known = _integer(value)
    if known is not None:
        return _number(known + number)
    op = ast.Add() if number > 0 else ast.Sub()
    return ast.BinOp(value, op, ast.Constant(abs(number)))


def _integer(node: ast.AST | None) -> int | None:
    """The value of an integer, with its sign."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            value_inside = _integer(inner)
            return None if value_inside is None else -value_inside
    return None


def _changed(node: Any, **fields: Any) -> Any:
    """A shallow copy with other fields."""
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _with(values: Sequence[Any], place: int, value: Any) -> list[Any]:
    return [*values[:place], value, *values[place + 1 :]]


def _without(values: Sequence[Any], place: int) -> list[Any]:
    return [*values[:place], *values[place + 1 :]]


# --- expressions ---------------------------------------------------------------------------

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

_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mod,),
    ast.Mod: (ast.FloorDiv,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}

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

_COUNTING = frozenset({"range", "arange", "triu", "tril", "split", "narrow", "islice", "roll"})
"""Functions whose numbers are positions."""

_REDUCTIONS = frozenset({"sum", "max", "min", "amax", "amin", "mean", "logsumexp", "prod", "any", "all"})

_TRIANGLES = frozenset({"triu", "tril", "triu_indices", "tril_indices", "tri"})


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
        case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub()):
            yield "condition", node.operand
        case ast.BinOp():
            yield from _arithmetic(node, scope)
        case ast.BoolOp():
            yield "condition", _changed(
                node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And()
            )
            for place in range(len(node.values)):
                rest = _without(node.values, place)
                yield "drop operand", rest[0] if len(rest) == 1 else _changed(node, values=rest)
        case ast.Call():
            yield from _call(node, scope)
        case ast.Subscript():
            yield from _subscript(node)
        case ast.IfExp():
            yield "condition", node.body
            yield "condition", node.orelse
            yield "condition", _changed(node, body=node.orelse, orelse=node.body)
        case ast.Tuple(elts=elts) if len(elts) in (2, 3):
            for place in range(len(elts) - 1):
                swapped = _with(_with(elts, place, elts[place + 1]), place + 1, elts[place])
                yield "swap", _changed(node, elts=swapped)
        case ast.Name() if field != "func":
            yield from _names(node, scope, parent)
        case ast.Attribute():
            yield from _attribute(node, scope, field)


def _inside_minus(parent: ast.AST) -> bool:
    return isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub)


def _comparison(node: ast.Compare, scope: Scope) -> Iterator[Rewrite]:
    for place, op in enumerate(node.ops):
        for other in _COMPARISONS.get(type(op), ()):
            yield "compare", _changed(node, ops=_with(node.ops, place, other()))
        if isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            right = node.comparators[place]
            for number in (1, -1):
                moved = _with(node.comparators, place, _plus(right, number))
                yield "offset", _changed(node, comparators=moved)
            for one, two in permutations(scope.sizes[:4], 2):
                more = ast.BinOp(_name(one), ast.Sub(), _name(two))
                moved = _with(node.comparators, place, ast.BinOp(right, ast.Add(), more))
                yield "alignment", _changed(node, comparators=moved)
    if len(node.ops) > 1:
        yield "drop operand", _changed(node, ops=node.ops[1:], left=node.comparators[0],
                                       comparators=node.comparators[1:])  # fmt: skip
        yield "drop operand", _changed(
            node, ops=node.ops[:-1], comparators=node.comparators[:-1]
        )


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
                yield "constant", _number(other)
        if number == 0 or number < -3:
            yield "constant", _number(float("-inf"))
    elif isinstance(value, float):
        number = -value if inner is not node else value
        others = [-number, float("-inf")] if number <= 0 else [-number]
        others += [1.0, 0.0, 1 / number] if number else [1.0]
        for each in others:
            if each != number or str(each) != str(number):
                yield "constant", _number(each)
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
        *operands, out = _with(terms, place, term)
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
    for other in _ARITHMETIC.get(type(node.op), ()):
        yield "arithmetic", _changed(node, op=other())
    yield "drop operand", node.left
    yield "drop operand", node.right
    if isinstance(node.op, ast.FloorDiv):
        minus = ast.UnaryOp(ast.USub(), node.left)
        yield "bound", ast.UnaryOp(ast.USub(), _changed(node, left=minus))
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.FloorDiv | ast.Mod):
        yield "swap", _changed(node, left=node.right, right=node.left)
    if isinstance(node.op, ast.MatMult):
        yield from _product(node, node.left, scope)
        for side in ("left", "right"):
            turned = _transposed(getattr(node, side), scope)
            yield "transpose", _changed(node, **{side: turned})
    if isinstance(node.op, ast.Div | ast.Mult):
        for half in (0.5, -0.5):
            root = ast.BinOp(node.right, ast.Pow(), _number(half))
            yield "scale", _changed(node, right=root)
    if isinstance(node.op, ast.Div):
        yield "guard", _guarded(node, scope)
    if isinstance(node.op, ast.Sub):
        # -inf - -inf is NaN: the maximum of a row that sees nothing.
        yield "guard", _changed(node, right=_finite(node.right, scope))


def _transposed(value: ast.expr, scope: Scope) -> ast.expr:
    name = "transpose" if scope.arrays == "torch" else "swapaxes"
    return _method(value, name, _number(-2), _number(-1))


def _guarded(value: ast.expr, scope: Scope) -> ast.expr:
    """The value with 0 for NaN."""
    if scope.kernel:
        tl = _name("tl")
        same = ast.Compare(value, [ast.Eq()], [value])
        return _method(tl, "where", same, value, _number(0.0))
    return _method(_name(scope.arrays), "nan_to_num", value, nan=_number(0.0))


def _finite(value: ast.expr, scope: Scope) -> ast.expr:
    """The value with 0 for -inf."""
    low = ast.Compare(value, [ast.Eq()], [_number(float("-inf"))])
    library = "tl" if scope.kernel else scope.arrays
    return _method(_name(library), "where", low, _number(0.0), value)


def _product(product: ast.expr, first: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """A product, scaled by the size of its first factor's rows."""
    if scope.kernel:
        return
    last = ast.Subscript(ast.Attribute(first, "shape", ast.Load()), _number(-1), ast.Load())
    for half in (-0.5, 0.5):
        root = ast.BinOp(last, ast.Pow(), _number(half))
        yield "scale", ast.BinOp(product, ast.Mult(), root)


def _called(node: ast.Call) -> str:
    """The name of the function or method that is called."""
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def _call(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    name = _called(node)
    args = node.args
    if any(isinstance(each, ast.Starred) for each in args):
        return
    on_array = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in scope.aliases
    )
    for other in _SWAPS.get(name, ()):
        key = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield "method", _changed(node, func=_changed(node.func, **{key: other}))
    yield from _positions(node, name, scope)
    if on_array and isinstance(node.func, ast.Attribute):
        yield "drop call", node.func.value
        if name.endswith("_") and not name.startswith("_"):
            yield "copy", _changed(node, func=_changed(node.func, attr=name[:-1]))
    elif args and name not in ("range", "len", "isinstance"):
        yield "drop call", args[0]
    for place in range(len(node.keywords)):
        yield "drop keyword", _changed(node, keywords=_without(node.keywords, place))
    if len(args) > 1:
        yield "drop keyword", _changed(node, args=args[:-1])
    for place in range(len(args) - 1):
        swapped = _with(_with(args, place, args[place + 1]), place + 1, args[place])
        yield "swap", _changed(node, args=swapped)
    if name in _REDUCTIONS:
        word = "keepdim" if scope.arrays == "torch" and not scope.kernel else "keepdims"
        if not any(each.arg in ("keepdim", "keepdims") for each in node.keywords):
            keep = ast.keyword(word, ast.Constant(True))
            yield "keepdim", _changed(node, keywords=[*node.keywords, keep])
    if name in ("softmax", "log_softmax", "exp", "div", "where"):
        yield "guard", _guarded(node, scope)
    if name in ("matmul", "bmm", "einsum", "dot", "baddbmm") and args:
        at_args = not on_array or name == "einsum"
        first = args[min(name == "einsum", len(args) - 1)] if at_args else node.func
        if isinstance(first, ast.Attribute) and first is node.func:
            first = first.value
        yield from _product(node, first, scope)
        for place in range(len(args)):
            if name != "einsum":
                turned = _with(args, place, _transposed(args[place], scope))
                yield "transpose", _changed(node, args=turned)
    if name == "sqrt":
        yield "scale", ast.BinOp(_number(1.0), ast.Div(), node)
    if name == "load" and not any(each.arg == "other" for each in node.keywords):
        for value in (0.0, float("-inf")):
            other_value = ast.keyword("other", _number(value))
            yield "guard", _changed(node, keywords=[*node.keywords, other_value])
    if name in ("float", "double", "half", "bfloat16", "astype", "to") and not scope.kernel:
        yield from _casts(node, scope)


def _positions(node: ast.Call, name: str, scope: Scope) -> Iterator[Rewrite]:
    """Offsets of the arguments of range, arange and the like, and diagonals of triangles."""
    if name in _COUNTING:
        for place, value in enumerate(node.args):
            if _integer(value) is None and isinstance(value, ast.Name | ast.BinOp | ast.Attribute):
                for number in (1, -1):
                    yield "offset", _changed(node, args=_with(node.args, place, _plus(value, number)))
    if name not in _TRIANGLES:
        return
    word = "diagonal" if scope.arrays == "torch" else "k"
    places = [p for p, each in enumerate(node.keywords) if each.arg in ("diagonal", "k")]
    at_method = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in scope.aliases
    )
    at = 0 if at_method else 1
    now: ast.expr = node.keywords[places[0]].value if places else _number(0)
    now = node.args[at] if not places and len(node.args) > at else now
    sizes = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in scope.names]
    pairs = list(permutations(dict.fromkeys([*sizes, *scope.sizes]), 2))[:12]
    more = [_plus(now, 1), _plus(now, -1)]
    for one, two in pairs:
        shift = ast.BinOp(_name(one), ast.Sub(), _name(two))
        more.append(shift if _integer(now) == 0 else ast.BinOp(now, ast.Add(), shift))
    for place, value in enumerate(more):
        kind = "diagonal" if place < 2 else "alignment"
        rest = [each for p, each in enumerate(node.keywords) if p not in places]
        args = node.args[:at] if not places else node.args
        yield kind, _changed(node, args=args, keywords=[*rest, ast.keyword(word, value)])


def _casts(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """A cast to at least float32 instead of to just this dtype."""
    if not isinstance(node.func, ast.Attribute) or scope.arrays != "torch":
        return
    value = node.func.value
    own = ast.Attribute(value, "dtype", ast.Load())
    single = ast.Attribute(_name("torch"), "float32", ast.Load())
    yield "upcast", _method(value, "to", _method(_name("torch"), "promote_types", own, single))
    if scope.parameters:
        first = ast.Attribute(_name(scope.parameters[0]), "dtype", ast.Load())
        yield "upcast", _method(value, "to", first)


def _subscript(node: ast.Subscript) -> Iterator[Rewrite]:
    if isinstance(node.ctx, ast.Load):
        yield "drop index", node.value
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]

    def indexed(place: int, part: ast.expr) -> ast.expr:
        if not isinstance(node.slice, ast.Tuple):
            made: ast.expr = _changed(node, slice=part)
        else:
            made = _changed(node, slice=_changed(node.slice, elts=_with(parts, place, part)))
        return made

    for place, part in enumerate(parts):
        if isinstance(part, ast.Slice):
            for side in ("lower", "upper"):
                bound = getattr(part, side)
                if bound is None:
                    if side == "lower":
                        yield "bound", indexed(place, _changed(part, lower=_number(1)))
                    continue
                for number in (1, -1):
                    moved = _changed(part, **{side: _plus(bound, number)})
                    yield "offset", indexed(place, moved)
                yield "bound", indexed(place, _changed(part, **{side: None}))
        elif isinstance(part, ast.Name | ast.BinOp):
            for number in (1, -1):
                yield "offset", indexed(place, _plus(part, number))
    if isinstance(node.slice, ast.Tuple):
        for place in range(len(parts) - 1):
            swapped = _with(_with(parts, place, parts[place + 1]), place + 1, parts[place])
            yield "swap", _changed(node, slice=_changed(node.slice, elts=swapped))


def _names(node: ast.Name, scope: Scope, parent: ast.AST) -> Iterator[Rewrite]:
    """Another name of the same function; one that is spelled alike is likelier."""
    if node.id not in scope.names:
        return
    for other in scope.names:
        if other != node.id:
            kind = "similar name" if _alike(node.id, other) else "name"
            yield kind, _name(other)
    if isinstance(parent, ast.Assign | ast.keyword | ast.List | ast.Return):
        yield "copy", _method(node, scope.copied)
    if scope.kernel or node.id in scope.sizes:
        return
    if node.id in scope.parameters and isinstance(parent, ast.BinOp | ast.Call | ast.Assign):
        kind = "float32" if scope.arrays == "torch" else "float64"
        wide = ast.Attribute(_name(scope.arrays), kind, ast.Load())
        yield "upcast", _method(node, scope.cast, wide)


def _alike(one: str, two: str) -> bool:
    """Whether two names are easily taken for one another."""
    if len(one) == len(two) == 1:
        return True
    parts, others = one.lower().split("_"), two.lower().split("_")
    if len(parts) > 1 and len(others) > 1:
        return parts[0] == others[0] or parts[-1] == others[-1]
    return len(one) > 1 and len(two) > 1 and (one in two or two in one)


def _attribute(node: ast.Attribute, scope: Scope, field: str) -> Iterator[Rewrite]:
    of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
    if of_self and field != "func":
        for other in scope.attributes:
            if other != node.attr:
                yield "other", _changed(node, attr=other)
        yield "copy", _method(node, scope.copied)
    if node.attr in ("float16", "bfloat16", "half", "int8", "int32", "int64", "long"):
        yield "upcast", _changed(node, attr="float32")
    if node.attr in ("dtype", "float16", "bfloat16") and scope.arrays == "torch" and not scope.kernel:
        yield "upcast", ast.Attribute(_name("torch"), "float32", ast.Load())
    if node.attr in ("float32", "dtype") and scope.parameters and not scope.kernel:
        first = ast.Attribute(_name(scope.parameters[0]), "dtype", ast.Load())
        if scope.arrays == "torch":
            single = ast.Attribute(_name("torch"), "float32", ast.Load())
            yield "upcast", _method(_name("torch"), "promote_types", first, single)
        if node.attr == "float32":
            yield "upcast", first
    if node.attr in ("T", "mT"):
        yield "transpose", node.value


# --- statements ----------------------------------------------------------------------------


def statement_rewrites(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """What a statement might have been meant to be."""
    match node:
        case ast.AugAssign(target=target, op=op, value=value):
            load = copy.copy(target)
            load.ctx = ast.Load()
            for other in _ARITHMETIC.get(type(op), ()):
                yield "arithmetic", _changed(node, op=other())
            yield "copy", ast.Assign([target], ast.BinOp(load, op, value))
            yield "drop operand", ast.Assign([target], value)
            yield "drop statement", ast.Pass()
        case ast.Assign() | ast.AnnAssign() | ast.Expr() | ast.Continue() | ast.Break():
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                yield "drop statement", ast.Pass()
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                added = ast.AugAssign(node.targets[0], ast.Add(), node.value)
                yield "arithmetic", added
        case ast.If() | ast.While():
            yield from _conditions(node)
        case ast.Return(value=ast.expr() as value):
            yield from _returned(node, value, scope)


def _conditions(node: ast.If | ast.While) -> Iterator[Rewrite]:
    yield "condition", _changed(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.If):
        yield "condition", _changed(node, test=ast.Constant(True))
        yield "condition", _changed(node, test=ast.Constant(False))


def _returned(node: ast.Return, value: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Outputs without NaN, and in the dtype of the first input."""
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    for place, part in enumerate(parts):
        made = [("guard", _guarded(part, scope))]
        if scope.parameters:
            dtype = ast.Attribute(_name(scope.parameters[0]), "dtype", ast.Load())
            made.append(("upcast", _method(part, scope.cast, dtype)))
        for kind, new in made:
            whole = _changed(value, elts=_with(parts, place, new)) if len(parts) > 1 else new
            yield kind, _changed(node, value=whole)
