"""Curves that belong to a topic, computed by its formulas; each is data until a format draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from quizprep.content.parameters import number_text, parsed
from quizprep.sheets.figures import Axis, Palette, Series, lines_svg

_LENGTHS = (1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
_GIB = 2**30


@dataclass(frozen=True)
class Plot:
    """A formula drawn over one of its symbols.

    formula   in the language of ``quizprep.formula``, in the base unit
    caption   what the numbers are; names the model they are of
    table     the values: a heading for each column, then a row for each x
    """

    title: str
    description: str
    caption: str
    formula: str
    series: tuple[Series, ...]
    x: Axis
    y: Axis

    @property
    def table(self) -> tuple[tuple[str, ...], ...]:
        """The values as text, the symbol's first."""
        head = (self.x.label, *(f"{each.name}, {self.y.label}" for each in self.series))
        rows = [
            (self.x.text(x), *(number_text(Fraction(s.points[n][1])) for s in self.series))
            for n, (x, _) in enumerate(self.series[0].points)
        ]
        return (head, *rows)

    def svg(self, palette: Palette) -> str:
        """The picture."""
        return lines_svg(self.series, self.x, self.y, self.title, self.description, palette)


def plots(topic: str) -> tuple[Plot, ...]:
    """The curves of a topic; most have none."""
    return (kv_cache_plot(),) if topic in ("kv-cache", "memory-footprint") else ()


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
        Series(
            name,
            tuple(
                (seq, float(parsed(formula).evaluate({**model, **each, "seq": seq}) / _GIB))
                for seq in _LENGTHS
            ),
        )
        for name, each in kept.items()
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
        caption=(
            "One sequence of a model with 32 layers and heads of size 128, in fp16; int8 with a "
            "scale of 4 bytes for each token and head."
        ),
        formula=formula,
        series=series,
        x=Axis("tokens", _LENGTHS, lambda value: f"{value / 1024:g}k"),
        y=Axis("GiB", (1 / 64, 1 / 16, 1 / 4, 1, 4, 16, 64), number_of),
    )


def number_of(value: float) -> str:
    """A tick: a fraction of one where it is less."""
    return f"{value:g}" if value >= 1 else f"1/{1 / value:g}"
