"""One formula language for answers, traps and contracts.

A formula is text such as ``2 * layers * kv_heads * d * width`` or ``b*h*n*(d + block)``.
It is read into a small tree from a whitelist (numbers, names, ``+ - * / **`` and a few
functions) and is never evaluated as Python. Three things are done with one:

- ``evaluate``: its exact value for given symbols;
- ``expand``: the polynomial it stands for (negative powers allowed, as in ``n*m/block``);
- ``dominated``: whether one growth is O(another) in every symbol, however the symbols
  grow relative to each other.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

MAX_TEXT = 400
MAX_DEPTH = 40
MAX_NODES = 200
MAX_EXPONENT = 64
MAX_BITS = 4096
MAX_TERMS = 400

Value = Fraction | float
Exponents = tuple[tuple[str, int], ...]
"""A monomial: symbols in alphabetical order with their non-zero powers."""


class FormulaError(ValueError):
    """The text is not a formula, or it cannot be computed; the message says why."""


@dataclass(frozen=True)
class Formula:
    """A parsed formula. ``symbols`` are the names it uses."""

    text: str
    tree: ast.expr
    symbols: frozenset[str]

    def evaluate(self, values: Mapping[str, Value | int]) -> Value:
        """The value with every symbol replaced; exact (Fraction) unless a root or log is used.

        Raises FormulaError for a missing symbol, a division by zero or a number too large.
        """
        return _evaluate(self.tree, values)

    def expand(self) -> Polynomial:
        """The polynomial this formula stands for.

        Raises FormulaError where it is none (a division by a sum, a function call).
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
    """Read a formula; raises FormulaError with what is not allowed."""
    if len(text) > MAX_TEXT:
        raise FormulaError(f"is longer than {MAX_TEXT} characters")
    source = text.strip()
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
    return _bounded(Fraction(value))


def _bounded(value: Fraction) -> Fraction:
    if max(abs(value.numerator), value.denominator).bit_length() > MAX_BITS:
        raise FormulaError("gives a number that is too large")
    return value


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
    return _bounded(result) if isinstance(result, Fraction) else _real(result)


def _bits(value: Fraction | float) -> int:
    exact = Fraction(value)
    return max(abs(exact.numerator), exact.denominator).bit_length()


def _real(value: object) -> float:
    if not isinstance(value, float) or not math.isfinite(value):
        raise FormulaError("gives a number that is too large")
    return value


# --- polynomials ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Polynomial:
    """A sum of monomials with exact coefficients; no coefficient is zero."""

    terms: tuple[tuple[Exponents, Fraction], ...]

    @staticmethod
    def of(terms: Mapping[Exponents, Fraction]) -> Polynomial:
        """From a mapping of monomials to coefficients."""
        return Polynomial(tuple(sorted((m, c) for m, c in terms.items() if c)))

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(name for monomial, _ in self.terms for name, _ in monomial)

    def growth(self, where: Sequence[Relation] = ()) -> Polynomial:
        """The terms that matter as sizes grow, each with coefficient 1."""
        monomials = [monomial for monomial, _ in self.terms]
        kept = [
            monomial
            for place, monomial in enumerate(monomials)
            if not any(
                _covers(other, monomial, where)
                and not (_covers(monomial, other, where) and place < other_place)
                for other_place, other in enumerate(monomials)
                if other_place != place
            )
        ]
        return Polynomial(tuple((monomial, Fraction(1)) for monomial in kept))

    def evaluate(self, values: Mapping[str, int | Fraction]) -> Fraction:
        """The exact value at the given sizes."""
        total = Fraction(0)
        for monomial, coefficient in self.terms:
            part = coefficient
            for name, power in monomial:
                part *= Fraction(values[name]) ** power
            total += part
        return total

    def text(self, order: Sequence[str] = ()) -> str:
        """As a person writes it: ``4*b*h*n*m*d``, symbols in the given order, powers as ``n^2``."""
        if not self.terms:
            return "0"
        rank = {name: place for place, name in enumerate(order)}
        ranked = sorted(
            self.terms,
            key=lambda term: (-sum(power for _, power in term[0]), -term[1], term[0]),
        )
        pieces = [_term_text(monomial, coefficient, rank) for monomial, coefficient in ranked]
        return " + ".join(pieces).replace("+ -", "- ")


def _term_text(monomial: Exponents, coefficient: Fraction, rank: Mapping[str, int]) -> str:
    ordered = sorted(monomial, key=lambda item: (rank.get(item[0], len(rank)), item[0]))
    above = [_power_text(name, power) for name, power in ordered if power > 0]
    below = [_power_text(name, -power) for name, power in ordered if power < 0]
    sign = "-" if coefficient < 0 else ""
    top, bottom = abs(coefficient.numerator), coefficient.denominator
    if top != 1 or not above:
        above.insert(0, str(top))
    if bottom != 1:
        below.insert(0, str(bottom))
    text = sign + "*".join(above)
    return text if not below else text + "".join(f"/{part}" for part in below)


def _power_text(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _expand(node: ast.expr) -> Polynomial:
    match node:
        case ast.Constant(value=value):
            return Polynomial.of({(): _number(value)})
        case ast.Name(id=name):
            return Polynomial.of({((name, 1),): Fraction(1)})
        case ast.UnaryOp(op=op, operand=operand):
            inner = _expand(operand)
            return _times(inner, Fraction(-1)) if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _add(_expand(left), _expand(right))
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _add(_expand(left), _times(_expand(right), Fraction(-1)))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _multiply(_expand(left), _expand(right))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _multiply(_expand(left), _invert(_expand(right)))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _raise(_expand(left), _expand(right))
    raise FormulaError(f"is not a polynomial: {ast.unparse(node)[:40]!r}")


def _add(left: Polynomial, right: Polynomial) -> Polynomial:
    terms = dict(left.terms)
    for monomial, coefficient in right.terms:
        terms[monomial] = _bounded(terms.get(monomial, Fraction(0)) + coefficient)
    return Polynomial.of(terms)


def _times(poly: Polynomial, factor: Fraction) -> Polynomial:
    return Polynomial.of({monomial: _bounded(c * factor) for monomial, c in poly.terms})


def _multiply(left: Polynomial, right: Polynomial) -> Polynomial:
    if len(left.terms) * len(right.terms) > MAX_TERMS:
        raise FormulaError("has too many terms")
    terms: dict[Exponents, Fraction] = {}
    for (a, x), (b, y) in product(left.terms, right.terms):
        monomial = _join(a, b)
        terms[monomial] = _bounded(terms.get(monomial, Fraction(0)) + x * y)
    return Polynomial.of(terms)


def _join(left: Exponents, right: Exponents) -> Exponents:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) + power
        if abs(powers[name]) > MAX_EXPONENT:
            raise FormulaError("has a power that is too large")
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _invert(poly: Polynomial) -> Polynomial:
    if not poly.terms:
        raise FormulaError("divides by zero")
    if len(poly.terms) != 1:
        raise FormulaError("divides by a sum, which is not a polynomial")
    ((monomial, coefficient),) = poly.terms
    return Polynomial.of({tuple((name, -power) for name, power in monomial): 1 / coefficient})


def _raise(base: Polynomial, exponent: Polynomial) -> Polynomial:
    match exponent.terms:
        case ():
            power = 0
        case (((), value),) if value.denominator == 1 and abs(value) <= MAX_EXPONENT:
            power = int(value)
        case _:
            raise FormulaError("has a power that is not a small whole number")
    if power < 0:
        base, power = _invert(base), -power
    result = Polynomial.of({(): Fraction(1)})
    for _ in range(power):
        result = _multiply(result, base)
    return result


# --- growth --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Relation:
    """``small <= large`` up to a constant, for two monomials: ``window <= n``."""

    small: Exponents
    large: Exponents


def two_sides(text: str) -> tuple[Formula, Formula]:
    """The formulas of ``window + sinks <= n``, the small one first; raises FormulaError."""
    sides = text.split("<=")
    if len(sides) != 2:
        raise FormulaError(f"is not a relation such as 'window <= n': {text!r}")
    return parse(sides[0]), parse(sides[1])


def relation(text: str) -> Relation:
    """Read ``window <= n``; both sides are single monomials."""
    small, large = (side.expand() for side in two_sides(text))
    if len(small.terms) != 1 or len(large.terms) != 1:
        raise FormulaError(f"compares sums; each side must be one product: {text!r}")
    return Relation(small.terms[0][0], large.terms[0][0])


def _covers(large: Exponents, small: Exponents, where: Sequence[Relation]) -> bool:
    return faster_direction(small, [large], where) is None


def dominated(growth: Polynomial, bound: Polynomial, where: Sequence[Relation] = ()) -> bool:
    """Whether growth is O(bound) in every symbol, all at least 1, under the relations.

    Coefficients are ignored. True only if it holds in whatever order and at whatever
    relative rate the symbols grow: ``n*d`` is not O(n + d), but it is O(n**2 + d**2).
    """
    bounds = [monomial for monomial, _ in bound.terms]
    return all(faster_direction(monomial, bounds, where) is None for monomial, _ in growth.terms)


def faster_direction(
    monomial: Exponents, bounds: Sequence[Exponents], where: Sequence[Relation] = ()
) -> dict[str, Fraction] | None:
    """A way to grow the symbols in which the monomial outgrows every bound, or None.

    The answer maps symbols to rates: with ``{"n": 1}`` only n grows. In logarithms each
    symbol s = t**x_s has a rate x_s >= 0 and every monomial is linear in the rates, so this
    asks whether a system of linear inequalities has a solution; it is answered exactly.
    """
    names = sorted(
        {name for m in (monomial, *bounds) for name, _ in m}
        | {name for r in where for m in (r.small, r.large) for name, _ in m}
    )
    rows = [_row(_difference(monomial, bound), names, Fraction(-1)) for bound in bounds]
    if not bounds and not monomial:
        return {}
    if not bounds:
        rows = [_row(dict(monomial), names, Fraction(-1))]
    rows += [_row(_difference(r.large, r.small), names, Fraction(0)) for r in where]
    rows += [_row({name: 1}, names, Fraction(0)) for name in names]
    solution = _feasible(rows, len(names))
    if solution is None:
        return None
    return {name: rate for name, rate in zip(names, solution, strict=True) if rate}


def _difference(left: Exponents, right: Exponents) -> dict[str, int]:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) - power
    return powers


_Row = tuple[tuple[Fraction, ...], Fraction]
"""Coefficients a and constant c of the inequality a.x + c >= 0."""


def _row(powers: Mapping[str, int], names: Sequence[str], constant: Fraction) -> _Row:
    return tuple(Fraction(powers.get(name, 0)) for name in names), constant


def _feasible(rows: Iterable[_Row], size: int) -> list[Fraction] | None:
    """A point x >= 0 that satisfies every row, or None: the first phase of the simplex method.

    Bland's rule for the choice of pivots, so that it always ends. Elimination of one symbol
    after another is shorter to write, but squares the number of rows with each: six symbols
    and eight terms took half a minute, and replies of learners come through here.
    """
    tight = [row for row in _tidy(rows) if row[1] < 0 or any(a < 0 for a in row[0])]
    count = len(tight)
    # Columns: the symbols, a slack for each row, an artificial for each row, the right side.
    table: list[list[Fraction]] = []
    basis: list[int] = []
    for place, (coefficients, constant) in enumerate(tight):
        short = constant < 0
        sign = 1 if short else -1
        line = [sign * a for a in coefficients] + [Fraction(0)] * (2 * count)
        line[size + place] = Fraction(-sign)
        line[size + count + place] = Fraction(int(short))
        table.append([*line, abs(constant)])
        basis.append(size + place + (count if short else 0))
    first_artificial = size + count
    while True:
        lacking = [
            row for row, column in zip(table, basis, strict=True) if column >= first_artificial
        ]
        entering = next(
            (
                c
                for c in range(first_artificial)
                if sum((row[c] for row in lacking), Fraction(0)) > 0
            ),
            None,
        )
        if entering is None:
            break
        leaving = min(
            (place for place in range(count) if table[place][entering] > 0),
            key=lambda place: (table[place][-1] / table[place][entering], basis[place]),
        )
        _pivot(table, leaving, entering)
        basis[leaving] = entering
    if any(row[-1] for row in lacking):
        return None
    values = {column: row[-1] for row, column in zip(table, basis, strict=True)}
    return [values.get(place, Fraction(0)) for place in range(size)]


def _pivot(table: list[list[Fraction]], leaving: int, entering: int) -> None:
    """Make the entering column the unit vector of the leaving row."""
    scale = table[leaving][entering]
    chosen = table[leaving] = [value / scale for value in table[leaving]]
    for place, row in enumerate(table):
        factor = row[entering]
        if place != leaving and factor:
            table[place] = [x - factor * y if y else x for x, y in zip(row, chosen, strict=True)]


def _tidy(rows: Iterable[_Row]) -> list[_Row]:
    """Without repeats: rows are scaled to one form, and of parallel ones the tightest stays."""
    tightest: dict[tuple[Fraction, ...], Fraction] = {}
    for coefficients, constant in rows:
        scale = max((abs(c) for c in coefficients), default=Fraction(0))
        if scale == 0:
            if constant < 0:
                return [(coefficients, constant)]
            continue
        form = tuple(c / scale for c in coefficients)
        tightest[form] = min(tightest.get(form, constant / scale), constant / scale)
    return list(tightest.items())
