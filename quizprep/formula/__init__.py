"""One formula language for answers, traps, contracts and measured costs.

A formula is text such as ``2 * layers * kv_heads * d * width`` or ``b*h*n*(d + block)``; a power
is written ``n^2`` or ``n**2``. It is never evaluated as Python. Three things are done with one:

- ``Formula.evaluate``: its exact value for given symbols;
- ``Formula.expand``: the polynomial it stands for (negative powers allowed, as in ``n*m/block``);
- ``dominated``: whether one growth is O(another) in every symbol, however the symbols
  grow relative to each other.
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
