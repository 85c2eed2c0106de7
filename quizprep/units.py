"""Units of measure in the replies to number questions.

A unit has a dimension and a factor to the base unit of that dimension: bytes for data, flops
for work, seconds for time, 1 for shares (so ``%`` is 1/100) and for counts. Any other word
(``heads``, ``pages``) is a unit of its own, with factor 1. Rates are written ``GB/s`` or
``GB per second``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

_DECIMAL = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}
_BINARY = {"ki": 1, "mi": 2, "gi": 3, "ti": 4, "pi": 5, "ei": 6}
_PREFIX_WORDS = {
    "kilo": "k", "mega": "m", "giga": "g", "tera": "t", "peta": "p",
    "kibi": "ki", "mebi": "mi", "gibi": "gi", "tebi": "ti", "pebi": "pi",
}  # fmt: skip
_TIMES: dict[str, int | Fraction] = {
    "s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600,
    "ms": Fraction(1, 10**3), "millisecond": Fraction(1, 10**3),
    "us": Fraction(1, 10**6), "µs": Fraction(1, 10**6), "μs": Fraction(1, 10**6),
    "microsecond": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9), "nanosecond": Fraction(1, 10**9),
}  # fmt: skip
_SHARES = {name: Fraction(1, 100) for name in ("%", "percent", "per cent", "pct", "percentage")}
_COUNTS = {"", "x", "×", "times", "fold"}
_BASES = {"data": "bytes", "work": "flops", "time": "s"}
_WORD = re.compile(r"[a-z%µμ×]+(?:[ _-][a-z]+)*", re.IGNORECASE)
_DATA = re.compile(r"(?P<prefix>[kmgtpe]i?|)(?P<unit>b|byte|bytes|bit|bits)", re.IGNORECASE)
_WORK = re.compile(r"(?P<prefix>[kmgtpe]?)(?:flops?)", re.IGNORECASE)


@dataclass(frozen=True)
class Unit:
    """A unit: its name as written, the dimension it measures, and its factor to the base unit."""

    name: str
    dimension: str
    factor: Fraction
    prefix: str = ""
    """Such as ``k`` or ``gi``; empty where there is none."""
    bits: bool = False

    @property
    def step(self) -> int:
        """The power of 1000, or of 1024, that the prefix stands for: 3 for GB and for GiB."""
        return _BINARY.get(self.prefix) or _DECIMAL.get(self.prefix, 0)

    @property
    def takes_prefixes(self) -> bool:
        return self.dimension.split("/")[0] in ("data", "work")


def find(text: str) -> Unit | None:
    """The unit that a text such as ``KiB``, ``GB/s``, ``flops per byte`` or ``heads`` names.

    None where it cannot be one.
    """
    name = " ".join(text.split())
    if name.lower() in _SHARES:
        return _single(name)  # "per cent" is no rate
    above, slash, below = _rate(name)
    top = _single(above)
    if top is None or not slash:
        return top
    bottom = _single(below) if below else None
    if bottom is None:
        return None
    dimension = f"{top.dimension}/{bottom.dimension}"
    return replace(top, name=name, dimension=dimension, factor=top.factor / bottom.factor)


def _rate(name: str) -> tuple[str, str, str]:
    """The parts of a name such as ``GB/s`` or ``GB per second``: above, the slash, below."""
    above, slash, below = re.sub(r"\s+per\s+|^per\s+", "/", name).partition("/")
    return above.strip(), slash, below.strip()


def named(text: str) -> Unit:
    """As ``find``; a text that no rule knows is a unit of its own."""
    return find(text) or Unit(text, text.casefold(), Fraction(1))


def base(unit: Unit) -> Unit:
    """The unit with factor 1 of the same dimension: ``bytes/s`` for ``GB/s``."""
    names = [_BASES.get(part, part) for part in unit.dimension.split("/")]
    return Unit("/".join(names), unit.dimension, Fraction(1))


def _single(name: str) -> Unit | None:
    lowered = name.lower()
    if lowered in _COUNTS:
        return Unit(name, "", Fraction(1))
    if lowered in _SHARES:
        return Unit(name, "", _SHARES[lowered])
    if _singular(lowered) in _TIMES:
        return Unit(name, "time", Fraction(_TIMES[_singular(lowered)]))
    short = _shortened(lowered, name)
    if data := _DATA.fullmatch(short):
        return _data(name, data["prefix"].lower(), data["unit"])
    if work := _WORK.fullmatch(short):
        prefix = work["prefix"].lower()
        return Unit(name, "work", _factor(prefix), prefix)
    return Unit(name, _singular(lowered), Fraction(1)) if _WORD.fullmatch(name) else None


def _shortened(lowered: str, name: str) -> str:
    """With a short prefix in place of one that is written out: ``gibytes`` for ``gibibytes``."""
    for word, prefix in _PREFIX_WORDS.items():
        if lowered.startswith(word):
            return prefix + lowered[len(word) :].strip()
    return name


def _data(name: str, prefix: str, unit: str) -> Unit:
    # Case tells bits from bytes only where there is a prefix and a lone b: Gb, Mib.
    bits = unit.lower().startswith("bit") or (unit == "b" and name[:1] in set("KMGTPE"))
    factor = _factor(prefix) / 8 if bits else _factor(prefix)
    return Unit(name, "data", factor, prefix, bits)


def _factor(prefix: str) -> Fraction:
    if prefix in _BINARY:
        return Fraction(1 << 10 * _BINARY[prefix])
    return Fraction(10 ** (3 * _DECIMAL[prefix]))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def prefix_says(unit: Unit) -> str:
    """What a prefixed unit means, for people: ``GB is 10^9 bytes``."""
    base_name = "bits" if unit.bits else _BASES[unit.dimension.split("/")[0]]
    power = f"2^{10 * unit.step}" if unit.prefix in _BINARY else f"10^{3 * unit.step}"
    return f"{_rate(unit.name)[0]} is {power} {base_name}"


def siblings(unit: Unit) -> list[Unit]:
    """Units of the same dimension that people confuse it with: other prefixes, bits and bytes."""
    tail = "".join(_rate(unit.name)[1:])
    names = _SIBLINGS.get(unit.dimension.split("/")[0], "").split()
    found = (find(name + tail) for name in names)
    return [other for other in found if other is not None and other.factor != unit.factor]


_SIBLINGS = {
    "data": "bytes kB KiB MB MiB GB GiB TB TiB bits Mb Gb",
    "work": "flops kflop Mflop Gflop Tflop Pflop",
    "time": "s ms us ns",
}
