"""Pictures as SVG: masks and curves, each with a title and a description in words.

All colours come from a palette: custom properties of the page's style sheet, or plain colours.
Series differ in their dashes and carry their names, so that nobody has to tell them apart by
colour.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby


@dataclass(frozen=True)
class Palette:
    """Colours as CSS values, and the font of labels."""

    ink: str
    soft: str
    line: str
    series: tuple[str, ...]
    font: str


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
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 132, 32, 48
_TEXT = 12.5
_MASK_TEXT = 15.0
_DASHES = ("", "7 4", "2 3", "9 3 2 3")
_ROW = 15.0
"""The least distance of two labels, in units of the picture."""


def lines_svg(
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    title: str,
    description: str,
    palette: Palette,
    marks: Sequence[Mark] = (),
) -> str:
    """Curves on logarithmic axes, each named at its right end, and named points.

    All values are positive and lie between the outermost ticks.
    """
    across = _scale(x.ticks, _LEFT, _WIDTH - _RIGHT)
    up = _scale(y.ticks, _HEIGHT - _BOTTOM, _TOP)
    body = [*_grid(x, y, across, up, palette)]
    ends: list[float] = []
    for curve in series:
        points = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in curve.points)
        dashes = _DASHES[curve.look % len(_DASHES)]
        dash = f"; stroke-dasharray: {dashes}" if dashes else ""
        body.append(
            f'<polyline points="{points}" style="fill: none; stroke: {_hue(palette, curve)}; '
            f'stroke-width: 2.2; stroke-linejoin: round{dash}"/>'
        )
        ends.append(up(curve.points[-1][1]))
    for place, height in _apart(ends):
        curve = series[place]
        hue = _hue(palette, curve)
        body.append(_label(_WIDTH - _RIGHT + 8, height + 4, curve.name, "start", hue))
    for mark in marks:
        body += _marked(mark, across(mark.x), up(mark.y), palette)
    return _svg(_WIDTH, _HEIGHT, body, title, description, palette)


def _marked(mark: Mark, x: float, y: float, palette: Palette) -> Iterator[str]:
    """A point and its name: to the lower right of a filled point, above a hollow one."""
    hue = palette.series[2 if mark.hollow else 1]
    fill = "none" if mark.hollow else hue
    yield (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" '
        f'style="fill: {fill}; stroke: {hue}; stroke-width: 2.2"/>'
    )
    if mark.hollow:
        yield _label(x, y - 10, mark.name, "middle", hue)
    else:
        yield _label(x + 10, y + 15, mark.name, "start", hue)


def mask_svg(
    visible: Sequence[Sequence[bool]], title: str, description: str, palette: Palette = PAGE
) -> str:
    """A mask: row i is query i, column j is key j, filled where the key is visible."""
    rows, columns = len(visible), max(map(len, visible), default=0)
    cell = max(6.0, min(22.0, 280 / max(rows, columns, 1)))
    left, top = 26, 26
    body = [
        _label(left + columns * cell / 2, 15, "keys", "middle", palette.soft, size=_MASK_TEXT),
        _label(16, top + rows * cell / 2, "queries", "middle", palette.soft, True, _MASK_TEXT),
    ]
    for i, row in enumerate(visible):
        for start, end in _runs(row):
            body.append(
                f'<rect x="{left + start * cell:g}" y="{top + i * cell:g}" '
                f'width="{(end - start) * cell:g}" height="{cell:g}" '
                f'style="fill: {palette.series[0]}"/>'
            )
    path = "".join(f"M{left} {top + i * cell:g}h{columns * cell:g}" for i in range(rows + 1))
    path += "".join(f"M{left + j * cell:g} {top}v{rows * cell:g}" for j in range(columns + 1))
    body.append(f'<path d="{path}" style="fill: none; stroke: {palette.line}; stroke-width: 1"/>')
    return _svg(left + columns * cell + 2, top + rows * cell + 2, body, title, description, palette)


def _runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """The beginning and the end of each run of visible keys."""
    here = 0
    for shown, group in groupby(row):
        length = len(list(group))
        if shown:
            yield here, here + length
        here += length


def _scale(ticks: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    low, high = math.log(ticks[0]), math.log(ticks[-1])
    return lambda value: start + (math.log(value) - low) / (high - low) * (end - start)


def _grid(
    x: Axis,
    y: Axis,
    across: Callable[[float], float],
    up: Callable[[float], float],
    palette: Palette,
) -> Iterator[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for tick in x.ticks:
        yield _label(across(tick), bottom + 18, x.text(tick), "middle", palette.soft)
    for tick in y.ticks:
        yield (
            f'<path d="M{_LEFT} {up(tick):.1f}H{right}" '
            f'style="stroke: {palette.line}; stroke-width: 1"/>'
        )
        yield _label(_LEFT - 8, up(tick) + 4, y.text(tick), "end", palette.soft)
    yield _label((_LEFT + right) / 2, _HEIGHT - 8, x.label, "middle", palette.ink)
    # Above the axis: turned words beside it are hard to read on a small screen.
    yield _label(0, 13, y.label, "start", palette.ink)


def _hue(palette: Palette, curve: Series) -> str:
    return palette.series[curve.look % len(palette.series)]


def _apart(heights: Sequence[float]) -> list[tuple[int, float]]:
    """Each label with its height, moved down where two labels would overlap."""
    placed: list[tuple[int, float]] = []
    floor = -math.inf
    for place in sorted(range(len(heights)), key=lambda n: heights[n]):
        floor = max(heights[place], floor + _ROW)
        placed.append((place, floor))
    return placed


def _label(
    x: float,
    y: float,
    text: str,
    anchor: str,
    colour: str,
    turned: bool = False,
    size: float = _TEXT,
) -> str:
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn} '
        f'style="fill: {colour}; font-size: {size:g}px">{escape(text, quote=False)}</text>'
    )


def prefixed(svg: str, prefix: str) -> str:
    """A picture whose ids begin with the prefix, so that a page may show it twice."""
    svg = re.sub(r' id="', f' id="{prefix}-', svg)
    return re.sub(
        r'aria-labelledby="(\S+) (\S+)"', rf'aria-labelledby="{prefix}-\1 {prefix}-\2"', svg
    )


def _svg(
    width: float, height: float, body: Sequence[str], title: str, description: str, palette: Palette
) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc" style="font-family: {palette.font}; '
        f'width: 100%; max-width: {width:g}px">'
        f'<title id="{name}-title">{escape(title, quote=False)}</title>'
        f'<desc id="{name}-desc">{escape(description, quote=False)}</desc>'
        f"{''.join(body)}</svg>"
    )
