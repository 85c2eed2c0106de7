"""What if: the cost of a solution, or the size of a cache, at sizes of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quizprep.content.library import Exercise
from quizprep.formula import FormulaError, parse
from quizprep.meter import Meter

LARGEST = 1 << 40
"""Sizes are whole numbers from 1 to this."""

KV_CACHE = "2*layers*kv_heads*head_size*tokens*sequences*bytes"
KV_SIZES = {
    "layers": 80,
    "kv_heads": 8,
    "head_size": 128,
    "tokens": 131072,
    "sequences": 1,
    "bytes": 2,
}
"""A model of 70 billion parameters with 8 key and value heads, at 128k tokens in 16 bits."""


@dataclass(frozen=True)
class Amount:
    """A formula with its value; ``says`` is the value in a unit that is easily read."""

    name: str
    formula: str
    value: int
    says: str


@dataclass(frozen=True)
class Explored:
    """Sizes as they were asked for, what was wrong with any, and what they come to."""

    sizes: dict[str, int]
    problem: str
    amounts: tuple[Amount, ...]


def kv_cache(given: Mapping[str, str]) -> Explored:
    """The bytes of a KV cache."""
    sizes, problem = _read(KV_SIZES, given)
    return Explored(sizes, problem, (_amount("KV cache", KV_CACHE, sizes, "bytes"),))


def costs(exercise: Exercise, given: Mapping[str, str]) -> Explored:
    """What the solution of an exercise costs, by its measured formulas."""
    usual = {name: max(values) for name, values in exercise.spec.contract.sizes.items()}
    sizes, problem = _read(usual, given)
    amounts = (
        _amount(Meter.parse(meter).title, formula, sizes, Meter.parse(meter).kind.unit)
        for meter, formula in exercise.measured.items()
    )
    return Explored(sizes, problem, tuple(amounts))


def _read(usual: Mapping[str, int], given: Mapping[str, str]) -> tuple[dict[str, int], str]:
    sizes, problem = dict(usual), ""
    for name in usual:
        text = given.get(name, "").strip().replace(",", "").replace("_", "")
        if not text:
            continue
        if text.isdecimal() and len(text) < 14 and 1 <= int(text) <= LARGEST:
            sizes[name] = int(text)
        else:
            problem = f"{name} should be a whole number from 1 to {LARGEST:,}; it stays as it was."
    return sizes, problem


def _amount(name: str, formula: str, sizes: Mapping[str, int], unit: str) -> Amount:
    try:
        value = int(parse(formula).expand().evaluate(sizes))
    except (FormulaError, ZeroDivisionError):
        return Amount(name, formula, 0, "cannot be computed at these sizes")
    return Amount(name, formula, value, in_units(value, unit))


def in_units(value: int, unit: str) -> str:
    """The value with a prefix: binary ones for bytes, decimal ones for all else."""
    base, names = (
        (1024, ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB"))
        if unit == "bytes"
        else (
            1000,
            (unit, f"thousand {unit}", f"million {unit}", f"G{unit}", f"T{unit}", f"P{unit}"),
        )
    )
    scaled, place = float(value), 0
    while scaled >= base and place + 1 < len(names):
        scaled, place = scaled / base, place + 1
    digits = f"{scaled:,.0f}" if place == 0 or scaled >= 100 else f"{scaled:.3g}"
    return f"{digits} {names[place]}"
