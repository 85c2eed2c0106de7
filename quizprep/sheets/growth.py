"""Curves of what the solutions cost, by the formulas that the meters gave.

The meters read small sizes and the formulas predict every reading exactly; the curves go on
from there. An exercise without fresh costs has no curve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from quizprep.content.draws import parsed
from quizprep.sheets.figures import Axis, Series
from quizprep.sheets.plots import (
    Plot,
    curve,
    powers,
    rounded,
    scaled,
    span,
    thousands,
)
from quizprep.sheets.prose import line

Costs = Mapping[str, Mapping[str, str]]
"""Fresh costs: by exercise, the formula of each meter."""

_WAYS = {
    "naive": "attention",
    "flash": "flash_forward",
    "window": "sliding_window",
    "linear": "linear_attention",
}
_LENGTHS = tuple(2**power for power in range(8, 17))
_SIZES = {"b": 1, "h": 1, "d": 64, "block": 64, "window": 256}
_CAPTION = (
    "Formulas that meters gave for the solutions, exact at every length that was read; drawn for "
    "one sequence and one head of size 64, $m = n$, tiles of 64, a window of 256, {rest}."
)
_BYTES = scaled(1024, ("B", "KiB", "MiB", "GiB"))
_FLOPS = scaled(1000, ("", "k", "M", "G", "T"))

_SIDES = ("block_m", "block_n")
_TILES = (16, 32, 64, 128, 256)
_KERNELS = {
    "matmul": ("triton_matmul", {"m": 4096, "n": 4096, "k": 4096}),
    "attention": ("triton_flash_forward", {"b": 1, "h": 32, "n": 4096, "m": 4096, "d": 64}),
}
_GIB = 2**30


def memory_plot(costs: Costs) -> Plot | None:
    """The peak of working memory in bytes."""
    return _growth_plot(
        costs,
        "peak_bytes",
        title="Working memory by length",
        rest="in fp32; beyond inputs and outputs",
        label="peak bytes",
        base=16,
        text=_BYTES,
        concepts=("attention-cost", "flash-memory", "sparse-attention", "linear-attention"),
    )


def flops_plot(costs: Costs) -> Plot | None:
    """The matrix products in flops."""
    return _growth_plot(
        costs,
        "flops",
        title="Flops by length",
        rest="matrix products only",
        label="flops",
        base=10,
        text=_FLOPS,
        concepts=("attention-cost", "sparse-attention", "linear-attention"),
    )


def traffic_plot(costs: Costs) -> Plot | None:
    """Main-memory traffic of the Triton kernels by the side of a tile."""
    series = []
    for look, (name, (exercise, sizes)) in enumerate(_KERNELS.items()):
        formula = _formula(costs, exercise, "moved_bytes")
        if formula and parsed(formula).symbols <= {*sizes, *_SIDES}:
            series.append(curve(name, formula, _SIDES, _TILES, sizes, _GIB, look))
    if not series:
        return None
    first, last = series[0].points[0][1], series[0].points[-1][1]
    return Plot(
        title="Main-memory traffic by tile",
        description=(
            f"Twice the tile moves nearly half the bytes. From tiles of {_TILES[0]} to tiles of "
            f"{_TILES[-1]} the {series[0].name} falls from {rounded(first)} to {rounded(last)} GiB."
        ),
        caption=line(
            "Bytes of the solutions' loads and stores, counted: the product of two matrices of "
            "4096 by 4096, and attention with 32 heads of size 64 over 4096 tokens, in fp32. The "
            "tile is square in the product, and the block of queries in attention."
        ),
        formula="",
        series=tuple(series),
        x=Axis("side of the tile", _TILES, lambda value: f"{value:g}"),
        y=Axis("GiB moved", powers(*span(series), 4), lambda value: f"{value:g}"),
        concepts=("memory-traffic", "matmul-tiles", "tiling"),
    )


def _growth_plot(
    costs: Costs,
    meter: str,
    *,
    title: str,
    rest: str,
    label: str,
    base: int,
    text: Callable[[float], str],
    concepts: tuple[str, ...],
) -> Plot | None:
    """What a meter gives by length; None without two curves to compare.

    rest  what the caption adds
    base  ticks are its powers
    """
    series = _by_length(costs, meter)
    if len(series) < 2:
        return None
    return Plot(
        title=title,
        description=_ends(series, text),
        caption=line(_CAPTION.format(rest=rest)),
        formula="",
        series=series,
        x=Axis("tokens n", _LENGTHS[::2], thousands),
        y=Axis(label, powers(*span(series), base), text),
        concepts=concepts,
    )


def _by_length(costs: Costs, meter: str) -> tuple[Series, ...]:
    """A curve for each way; ways that cost the same share one, whose name holds both."""
    shared: dict[tuple[tuple[float, float], ...], Series] = {}
    for look, (name, exercise) in enumerate(_WAYS.items()):
        formula = _formula(costs, exercise, meter)
        if formula and parsed(formula).symbols <= _SIZES.keys() | {"n", "m"}:
            made = curve(name, formula, ["n", "m"], _LENGTHS, _SIZES, look=look)
            if twin := shared.get(made.points):
                made = replace(twin, name=f"{twin.name}, {name}")
            shared[made.points] = made
    return tuple(shared.values())


def _formula(costs: Costs, exercise: str, meter: str) -> str:
    return costs.get(exercise, {}).get(meter, "")


def _ends(series: tuple[Series, ...], text: Callable[[float], str]) -> str:
    """Each curve in words: where it begins and where it ends."""
    each = (
        f"{curve.name} from {text(curve.points[0][1])} to {text(curve.points[-1][1])}"
        for curve in series
    )
    return f"From {thousands(_LENGTHS[0])} to {thousands(_LENGTHS[-1])} tokens: {'; '.join(each)}."
