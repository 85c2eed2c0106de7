"""Formulas: parsed into a syntax tree from a whitelist, evaluated exactly, never as Python."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from quizprep.formula.polynomial import (
    MAX_BITS,
    FormulaError,
    Polynomial,
    add,
    bounded,
    invert,
    multiply,
    raised,
    scale,
)

MAX_TEXT = 400
MAX_DEPTH = 40
MAX_NODES = 200

Value = Fraction | float


@dataclass(frozen=True)
class Formula:
    """A parsed formula.

    python   the text, with powers as ``n**2``
    symbols  the names in it
    """

    python: str
    tree: ast.expr
    symbols: frozenset[str]

    @property
    def text(self) -> str:
        """The text as people write it, with powers as ``n^2``."""
        return self.python.replace("**", "^")

    def evaluate(self, values: Mapping[str, Value | int]) -> Value:
        """The value for these symbols; exact (Fraction) unless a root or logarithm is used.

        Raises FormulaError for a missing symbol, a division by zero or a number too large.
        """
        return _evaluate(self.tree, values)

    def expand(self) -> Polynomial:
        """The equivalent polynomial.

        Raises FormulaError if there is none (a division by a sum, a function call).
        """
        return _expand(self.tree)


_FUNCTIONS: dict[str, tuple[int, Callable[..., Value]]] = {
    "sqrt": (1, lambda x: _root(x)),
    "log2": (1, lambda x: math.log2(x)),
    "ln": (1, lambda x: math.log(x)),
    "exp": (1, lambda x: math.exp(x)),
    "ceil": (1, lambda x: Fraction(math.ceil(x))),
    "floor": (1, lambda x: Fraction(math.floor(x))),
    "min": (2, lambda x, y: min(x, y)),
    "max": (2, lambda x, y: max(x, y)),
}
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


def parse(text: str) -> Formula:
    """Parse a formula, with powers as ``n^2`` or ``n**2``; raises FormulaError with the reason."""
    if len(text) > MAX_TEXT:
        raise FormulaError(f"is longer than {MAX_TEXT} characters")
    source = text.strip().replace("^", "**")
    if not source:
        raise FormulaError("is empty")
    if _depth(source) > MAX_DEPTH or source.count("-") + source.count("+") > MAX_NODES:
        raise FormulaError("is nested too deeply")
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise FormulaError(f"cannot be read as a formula: {source!r}") from error
    symbols: set[str] = set()
    _check(tree, symbols)
    return Formula(source, tree, frozenset(symbols))


def _depth(source: str) -> int:
    depth = deepest = 0
    for character in source:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def _check(node: ast.AST, symbols: set[str]) -> None:
    match node:
        case ast.Constant(value=bool()):
            raise FormulaError("holds a truth value; only numbers are allowed")
        case ast.Constant(value=int() | float()):
            return
        case ast.Name(id=name):
            symbols.add(name)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check(operand, symbols)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _check(left, symbols)
            _check(right, symbols)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            if len(args) != _FUNCTIONS[name][0]:
                raise FormulaError(f"gives {name}() {len(args)} values")
            for arg in args:
                _check(arg, symbols)
        case _:
            raise FormulaError(f"uses something that is not allowed: {ast.unparse(node)[:40]!r}")


def _number(value: object) -> Fraction:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise FormulaError("holds a number that is too large")
        return Fraction(repr(value))
    assert isinstance(value, int)
    return bounded(Fraction(value))


def _root(value: Value) -> Value:
    if value < 0:
        raise FormulaError("takes the root of a negative number")
    if isinstance(value, Fraction):
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    return math.sqrt(value)


def _evaluate(node: ast.expr, values: Mapping[str, Value | int]) -> Value:
    try:
        return _compute(node, values)
    except ZeroDivisionError as error:
        raise FormulaError("divides by zero") from error
    except (OverflowError, ValueError) as error:
        if isinstance(error, FormulaError):
            raise
        raise FormulaError("cannot be computed for these values") from error


def _compute(node: ast.expr, values: Mapping[str, Value | int]) -> Value:
    match node:
        case ast.Constant(value=value):
            return _number(value)
        case ast.Name(id=name):
            if name not in values:
                raise FormulaError(f"uses {name}, which has no value")
            given = values[name]
            return given if isinstance(given, float) else Fraction(given)
        case ast.UnaryOp(op=op, operand=operand):
            inner = _compute(operand, values)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name][1](*(_compute(arg, values) for arg in args))
        case ast.BinOp(left=left, op=op, right=right):
            return _operate(_OPERATORS[type(op)], _compute(left, values), _compute(right, values))
    raise AssertionError("the whitelist in _check is out of step")


def _operate(symbol: str, left: Value, right: Value) -> Value:
    if symbol == "**":
        if isinstance(left, float) or right.__class__ is float or Fraction(right).denominator != 1:
            return _real(float(left) ** float(right))
        power = int(right)
        if abs(power) > 1 and _bits(left) * abs(power) > MAX_BITS:
            raise FormulaError("gives a number that is too large")
        return Fraction(left) ** power
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)
    result = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / right,
    }[symbol]()
    return bounded(result) if isinstance(result, Fraction) else _real(result)


def _bits(value: Fraction | float) -> int:
    exact = Fraction(value)
    return max(abs(exact.numerator), exact.denominator).bit_length()


def _real(value: object) -> float:
    if not isinstance(value, float) or not math.isfinite(value):
        raise FormulaError("gives a number that is too large")
    return value


def _expand(node: ast.expr) -> Polynomial:
    match node:
        case ast.Constant(value=value):
            return Polynomial.of({(): _number(value)})
        case ast.Name(id=name):
            return Polynomial.of({((name, 1),): Fraction(1)})
        case ast.UnaryOp(op=op, operand=operand):
            inner = _expand(operand)
            return scale(inner, Fraction(-1)) if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return add(_expand(left), _expand(right))
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return add(_expand(left), scale(_expand(right), Fraction(-1)))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return multiply(_expand(left), _expand(right))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return multiply(_expand(left), invert(_expand(right)))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return raised(_expand(left), _expand(right))
    raise FormulaError(f"is not a polynomial: {ast.unparse(node)[:40]!r}")
