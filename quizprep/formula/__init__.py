"""One formula language for answers, traps, contracts and measured costs.

A formula is text such as ``2 * layers * kv_heads * d * width`` or ``b*h*n*(d + block)``, with
powers
written as ``n^2`` or ``n**2``. It is never evaluated as Python. There are three operations:

- ``Formula.evaluate``: its exact value for given symbols;
- ``Formula.expand``: the equivalent polynomial (negative powers allowed, as in ``n*m/block``);
- ``dominated``: whether one growth is O(another) in every symbol, at whatever relative rates the
  symbols grow.
"""

from quizprep.formula.expression import MAX_TEXT, Formula, Value, parse
from quizprep.formula.growth import (
    Relation,
    dominated,
    faster_direction,
    leading_terms,
    relation,
    two_sides,
)
from quizprep.formula.polynomial import Exponents, FormulaError, Polynomial

__all__ = [
    "MAX_TEXT",
    "Exponents",
    "Formula",
    "FormulaError",
    "Polynomial",
    "Relation",
    "Value",
    "dominated",
    "faster_direction",
    "leading_terms",
    "parse",
    "relation",
    "two_sides",
]
