"""A curve over one symbol of a formula: data until a format draws it. Here: the KV cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from quizprep.content.draws import parsed
from quizprep.sheets.figures import Axis, Mark, Palette, Series, lines_svg
from quizprep.sheets.prose import Line, line
from quizprep.text import number_text

_LENGTHS = (1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
_GIB = 2**30


@dataclass(frozen=True)
class Plot:
    """Formulas drawn over one of their symbols.

    formula   in the language of ``quizprep.formula``, in the base unit; empty where each
              series has its own
    caption   what the numbers are; names the model they are of
    concepts  what it is about
    marks     named points beside the curves
    table     the values: a heading for each column, then a row for each x, or for each mark
    """

    title: str
    description: str
    caption: Line
    formula: str
    series: tuple[Series, ...]
    x: Axis
    y: Axis
    concepts: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def formulas(self) -> tuple[tuple[str, str], ...]:
        """Each formula that was drawn, with the name of its curve unless it is that of all."""
        if self.formula:
            return (("", self.formula),)
        return tuple((each.name, each.formula) for each in self.series if each.formula)

    @property
    def table(self) -> tuple[tuple[str, ...], ...]:
        """The values as text, the symbol's first."""
        if self.marks:
            marked = (
                (mark.name, number_text(Fraction(mark.x)), rounded(mark.y)) for mark in self.marks
            )
            return (("", self.x.label, self.y.label), *marked)
        head = (self.x.label, *(f"{each.name}, {self.y.label}" for each in self.series))
        rows = [
            (self.x.text(x), *(number_text(Fraction(s.points[n][1])) for s in self.series))
            for n, (x, _) in enumerate(self.series[0].points)
        ]
        return (head, *rows)

    def svg(self, palette: Palette) -> str:
        """The picture."""
        return lines_svg(
            self.series, self.x, self.y, self.title, self.description, palette, self.marks
        )


def curve(
    name: str,
    formula: str,
    over: Sequence[str],
    places: Sequence[int],
    sizes: Mapping[str, int],
    unit: int = 1,
    look: int = 0,
) -> Series:
    """A formula evaluated at each place of some symbols that go together, the others given, in
    a unit."""
    reads = parsed(formula)
    points = (
        (x, float(reads.evaluate({**sizes, **dict.fromkeys(over, x)}) / unit)) for x in places
    )
    return Series(name, tuple(points), formula, look)


def powers(low: float, high: float, base: int) -> tuple[float, ...]:
    """Ticks at powers of a base, the outermost not inside the values."""
    first, last = 0, 0
    while base**first > low:
        first -= 1
    while base ** (first + 1) <= low:
        first += 1
    while base**last < high:
        last += 1
    return tuple(float(base) ** each for each in range(first, max(last, first + 1) + 1))


def span(series: Sequence[Series]) -> tuple[float, float]:
    """From half the least value of curves, so that none lies on the axis, to the largest."""
    values = [y for each in series for _, y in each.points]
    return min(values) / 2, max(values)


def rounded(value: float) -> str:
    """A value to three digits, with no trailing zeros."""
    return number_text(Fraction(f"{value:.3g}"))


def scaled(base: int, names: Sequence[str]) -> Callable[[float], str]:
    """Writes a value with the prefix that fits: ``scaled(1024, ("B", "KiB"))(2048)`` is 2 KiB."""

    def text(value: float) -> str:
        for name in names[:-1]:
            if value < base:
                return f"{rounded(value)} {name}".strip()
            value /= base
        return f"{rounded(value)} {names[-1]}"

    return text


def thousands(value: float) -> str:
    """A length: 64k tokens are 65,536."""
    return f"{value / 1024:g}k" if value >= 1024 else f"{value:g}"


def kv_cache_plot() -> Plot:
    """What the cache of one sequence takes, by its length and by how keys and values are kept."""
    formula = "2 * layers * kv_heads * (d * width + scale) * seq"
    model = {"layers": 32, "d": 128, "width": 2, "scale": 0}
    kept: Mapping[str, Mapping[str, int]] = {
        "MHA, 32 KV heads": {"kv_heads": 32},
        "GQA, 8 KV heads": {"kv_heads": 8},
        "GQA in int8": {"kv_heads": 8, "width": 1, "scale": 4},
        "MQA, 1 KV head": {"kv_heads": 1},
    }
    series = tuple(
        curve(name, formula, ["seq"], _LENGTHS, {**model, **each}, _GIB, look)
        for look, (name, each) in enumerate(kept.items())
    )
    ratio = number_text(Fraction(series[0].points[-1][1] / series[1].points[-1][1]))
    longest = number_text(Fraction(series[0].points[-1][1]))
    return Plot(
        title="KV cache of one sequence",
        description=(
            "Every curve is a straight line through the origin, so on logarithmic axes they are "
            f"parallel. At {_LENGTHS[-1] // 1024}k tokens multi-head attention takes {longest} "
            f"GiB, {ratio} times what 8 KV heads take; int8 halves that once more but for its "
            "scales, and one KV head takes least."
        ),
        caption=line(
            "One sequence of a model with 32 layers and heads of size 128, in fp16; int8 with a "
            "scale of 4 bytes for each token and head."
        ),
        formula=formula,
        series=series,
        x=Axis("tokens", _LENGTHS, thousands),
        y=Axis("GiB", (1 / 64, 1 / 16, 1 / 4, 1, 4, 16, 64), number_of),
        concepts=("kv-cache-size", "grouped-query", "kv-quantization"),
    )


def number_of(value: float) -> str:
    """A tick: a fraction of one where it is less."""
    return f"{value:g}" if value >= 1 else f"1/{1 / value:g}"
