r"""A formula as LaTeX: ``2*layers*d**2`` becomes ``2 \cdot \text{layers} \cdot d^{2}``.

The result uses only the subset of LaTeX that ``quizprep.maths`` can parse.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction

from quizprep.formula.expression import Formula, Value
from quizprep.text import number_text

_SUM, _PRODUCT, _POWER, _ATOM = range(4)
"""Precedences: an operand whose precedence is below that of its context needs brackets."""
_CALLS = {
    "sqrt": r"\sqrt{{{0}}}",
    "log2": r"\log_{{2}}({0})",
    "ln": r"\ln({0})",
    "exp": r"\exp({0})",
    "ceil": r"\left\lceil {0} \right\rceil",
    "floor": r"\left\lfloor {0} \right\rfloor",
}
_CALL_RANKS = {"sqrt": _ATOM, "ceil": _ATOM, "floor": _ATOM}


def latex(formula: Formula, values: Mapping[str, Value] | None = None) -> str:
    """The formula with the given numbers in place of their names. A name of one letter is set as a
    variable, a longer one as words."""
    return _write(formula.tree, values or {}, dots=True)[0]


def growth_latex(formula: Formula) -> str:
    """The formula inside a big O; the letters of a product stand side by side."""
    return f"O({_write(formula.tree, {}, dots=False)[0]})"


def name_latex(name: str) -> str:
    """A name of a formula: ``d``, ``d_{2}``, ``\\text{KV heads}``."""
    if len(name) == 1:
        return name
    if match := re.fullmatch(r"([A-Za-z])_?(\d+|[a-z])", name):
        return f"{match[1]}_{{{match[2]}}}"
    return rf"\text{{{spoken(name)}}}"


def spoken(name: str) -> str:
    """A name as people write it: ``kv_heads`` becomes ``KV heads``."""
    words = name.replace("_", " ").replace("-", " ")
    return re.sub(r"\b(kv|mlp|gpu|gqa|mqa|mla|sram)\b", lambda m: m[0].upper(), words)


def number_latex(value: Value) -> str:
    """A number as ``number_text`` writes it, as LaTeX."""
    text = number_text(value)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}"
    return rf"\text{{{text}}}" if "," in text else text


def _write(node: ast.expr, values: Mapping[str, Value], dots: bool) -> tuple[str, int]:
    """The LaTeX of a node, and its precedence."""

    def part(inner: ast.expr, least: int) -> str:
        text, rank = _write(inner, values, dots)
        return text if rank >= least else _bracketed("(", text, ")")

    match node:
        case ast.Constant(value=bool() | int() | float() as value):
            return number_latex(Fraction(repr(value))), _ATOM
        case ast.Name(id=name):
            return _named(name, values)
        case ast.UnaryOp(op=op, operand=operand):
            sign = "-" if isinstance(op, ast.USub) else ""
            return f"{sign}{part(operand, _PRODUCT)}", _SUM if sign else _PRODUCT
        case ast.Call(func=ast.Name(id="min" | "max" as name)):
            listed = ", ".join(_write(arg, values, dots)[0] for arg in _operands(node, name))
            return rf"\{name}({listed})", _POWER
        case ast.Call(func=ast.Name(id=name), args=args):
            inner = [_write(arg, values, dots)[0] for arg in args]
            return _CALLS[name].format(*inner), _CALL_RANKS.get(name, _POWER)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return f"{part(left, _SUM)} + {part(right, _PRODUCT)}", _SUM
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return f"{part(left, _SUM)} - {part(right, _PRODUCT)}", _SUM
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _product(part(left, _PRODUCT), part(right, _PRODUCT), dots), _PRODUCT
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            above, below = _write(left, values, dots)[0], _write(right, values, dots)[0]
            return rf"\frac{{{above}}}{{{below}}}", _PRODUCT
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return f"{part(left, _ATOM)}^{{{_exponent(right, values, dots)}}}", _POWER
    raise AssertionError("the whitelist of quizprep.formula is out of step")


def _operands(node: ast.expr, name: str) -> Iterator[ast.expr]:
    """The arguments of nested calls as one list: those of min(min(a, b), c) are a, b, c."""
    match node:
        case ast.Call(func=ast.Name(id=called), args=args) if called == name:
            for arg in args:
                yield from _operands(arg, name)
        case _:
            yield node


def _named(name: str, values: Mapping[str, Value]) -> tuple[str, int]:
    if name not in values:
        return name_latex(name), _ATOM
    value = values[name]
    text = number_latex(value)
    return text, _SUM if value < 0 else _PRODUCT if r"\times" in text else _ATOM


def _bracketed(opening: str, text: str, closing: str) -> str:
    if r"\frac" in text:
        return rf"\left{opening} {text} \right{closing}"
    return f"{opening}{text}{closing}"


def _exponent(node: ast.expr, values: Mapping[str, Value], dots: bool) -> str:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        above, rank = _write(node.left, values, dots)
        below, below_rank = _write(node.right, values, dots)
        above = above if rank >= _PRODUCT else f"({above})"
        below = below if below_rank >= _POWER else f"({below})"
        return f"{above}/{below}"
    return _write(node, values, dots)[0]


def _product(left: str, right: str, dots: bool) -> str:
    needs_dot = dots or r"\text" in left + right or right[:1].isdigit()
    return rf"{left} \cdot {right}" if needs_dot else rf"{left} {right}"
