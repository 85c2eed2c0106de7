"""Pictures as SVG: masks and curves, each with a title and a description in words.

All colours come from a palette: custom properties of the page's style sheet, or plain colours.
Series differ in their dashes and carry their names, so that nobody has to tell them apart by
colour. The elements stand in ``templates/*.svg.j2``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import groupby

from jinja2 import Environment

from quizprep.content.draws import parsed
from quizprep.formula.latex import latex
from quizprep.sheets.prose import Line
from quizprep.sheets.templating import environment
from quizprep.text import number_text


@dataclass(frozen=True)
class Palette:
    """Colours as CSS values, and the font of labels."""

    ink: str
    soft: str
    line: str
    series: tuple[str, ...]
    font: str

    def hue(self, look: int) -> str:
        """The colour of a curve."""
        return self.series[look % len(self.series)]


PAGE = Palette(
    ink="var(--ink)",
    soft="var(--soft)",
    line="var(--line)",
    series=("var(--accent)", "var(--right)", "var(--wrong)", "var(--soft)"),
    font="var(--label)",
)
"""The colours of the HTML sheet, which change with the reader's theme."""

PAPER = Palette(
    ink="#1d2126",
    soft="#565d65",
    line="#cfccc5",
    series=("#154a63", "#205233", "#8a3b1c", "#565d65"),
    font="Libertinus Serif",
)


@dataclass(frozen=True)
class Series:
    """A curve: its name and its points (x, y), x ascending.

    formula  the formula of the points, as ``quizprep.formula`` reads it, where there is one
    look     the index of its colour and dashes, the same from picture to picture
    """

    name: str
    points: tuple[tuple[float, float], ...]
    formula: str = ""
    look: int = 0


@dataclass(frozen=True)
class Mark:
    """A named point; hollow and filled points are of two kinds."""

    name: str
    x: float
    y: float
    hollow: bool = False


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis: its label, the places of its ticks, and the text of a tick."""

    label: str
    ticks: tuple[float, ...]
    text: Callable[[float], str]


# Small, so that labels stay legible where a phone scales the picture down.
_WIDTH, _HEIGHT = 500, 310
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 368, 32, 262
"""Where the axes of a plot lie."""
_DASHES = ("", "7 4", "2 3", "9 3 2 3")
_ROW = 15.0
"""The least distance of two labels, in units of the picture."""
_SEEN, _HIDDEN = "■", "·"


@dataclass(frozen=True)
class MaskPicture:
    """A mask: which keys each query sees. Row i is query i, column j is key j.

    caption   the rule in words
    concepts  what it is about
    exercise  whose reference was run
    visible   for each query a row with a truth value for each key
    """

    title: str
    caption: Line
    concepts: tuple[str, ...]
    exercise: str
    visible: tuple[tuple[bool, ...], ...]

    @property
    def description(self) -> str:
        """The mask in words, row by row; equal rows that follow each other are one entry."""
        keys = max(map(len, self.visible), default=0)
        parts = []
        begin = 0
        for row, equal in groupby(self.visible):
            end = begin + len(list(equal))
            who = f"query {end}" if end == begin + 1 else f"queries {begin + 1} to {end}"
            parts.append(f"{who}: {_keys(row)}")
            begin = end
        return f"{len(self.visible)} queries, {keys} keys. Visible to {'; '.join(parts)}."

    @property
    def text(self) -> str:
        """The mask as lines of signs, for formats without pictures."""
        return "\n".join(
            " ".join(_SEEN if seen else _HIDDEN for seen in row) for row in self.visible
        )

    def svg(self, palette: Palette) -> str:
        """The picture."""
        rows, columns = len(self.visible), max(map(len, self.visible), default=0)
        cell = max(6.0, min(22.0, 280 / max(rows, columns, 1)))
        left, top = 26, 26
        return _svg(
            "mask.svg.j2",
            self,
            palette,
            width=left + columns * cell + 2,
            height=top + rows * cell + 2,
            left=left,
            top=top,
            rows=rows,
            columns=columns,
            cell=cell,
            seen=[list(_runs(row)) for row in self.visible],
        )


def _keys(row: Sequence[bool]) -> str:
    """``keys 1 to 3, 7``."""
    if not any(row):
        return "no key"
    parts = [str(b) if a + 1 == b else f"{a + 1} to {b}" for a, b in _runs(row)]
    return f"{'key' if sum(row) == 1 else 'keys'} {', '.join(parts)}"


@dataclass(frozen=True)
class Plot:
    """Curves of formulas on logarithmic axes, and named points.

    All values are positive and lie between the outermost ticks.

    formula   that of every curve, as ``quizprep.formula`` reads it; empty where each series has
              its own
    caption   what the numbers are; names the model they are of
    concepts  what it is about
    marks     named points beside the curves
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
        """The LaTeX of each formula that is drawn, after the name of its curve; one formula for
        all curves has no name."""
        drawn = [("", self.formula)] if self.formula else [(s.name, s.formula) for s in self.series]
        return tuple((name, latex(parsed(formula))) for name, formula in drawn if formula)

    @property
    def table(self) -> tuple[tuple[str, ...], ...]:
        """The values as text: headings, then a row for each x, or for each mark."""
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
        up = _scale(self.y.ticks, _BOTTOM, _TOP)
        heights = _apart([up(curve.points[-1][1]) for curve in self.series])
        return _svg(
            "curves.svg.j2",
            self,
            palette,
            width=_WIDTH,
            height=_HEIGHT,
            left=_LEFT,
            right=_RIGHT,
            bottom=_BOTTOM,
            across=_scale(self.x.ticks, _LEFT, _RIGHT),
            up=up,
            dashes=_DASHES,
            names=[(self.series[place], height) for place, height in heights],
        )


def rounded(value: float) -> str:
    """A value to three digits, with no trailing zeros."""
    return number_text(Fraction(f"{value:.3g}"))


def _runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """The first place of each run of visible keys, and the place after its last."""
    here = 0
    for shown, group in groupby(row):
        length = len(list(group))
        if shown:
            yield here, here + length
        here += length


def _scale(ticks: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    low, high = math.log(ticks[0]), math.log(ticks[-1])
    return lambda value: start + (math.log(value) - low) / (high - low) * (end - start)


def _apart(heights: Sequence[float]) -> list[tuple[int, float]]:
    """Each label with its height, moved down where two labels would overlap."""
    placed: list[tuple[int, float]] = []
    floor = -math.inf
    for place in sorted(range(len(heights)), key=lambda n: heights[n]):
        floor = max(heights[place], floor + _ROW)
        placed.append((place, floor))
    return placed


def prefixed(svg: str, prefix: str) -> str:
    """A picture whose ids begin with the prefix, so that a page may show it twice."""
    svg = re.sub(r' id="', f' id="{prefix}-', svg)
    return re.sub(
        r'aria-labelledby="(\S+) (\S+)"', rf'aria-labelledby="{prefix}-\1 {prefix}-\2"', svg
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(autoescape=True)
    made.filters |= {"short": "{:g}".format, "tenths": "{:.1f}".format}
    return made


def _svg(body: str, picture: MaskPicture | Plot, palette: Palette, **content: object) -> str:
    """The picture that a template draws."""
    made = (
        _environment()
        .get_template("picture.svg.j2")
        .render(
            body=body,
            name=re.sub(r"[^a-z0-9]+", "-", picture.title.lower()).strip("-"),
            picture=picture,
            palette=palette,
            **content,
        )
    )
    return "".join(made.splitlines())
