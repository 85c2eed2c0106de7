"""The pictures of a topic: masks, as references showed them, and plots of formulas.

What was not measured, or was measured before its source changed, is not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from quizprep.content.draws import parsed
from quizprep.content.library import PLOTS, Library, path_order
from quizprep.content.measured import Measured, fresh_costs, fresh_masks
from quizprep.content.pictures import CurvesSpec, RooflineSpec
from quizprep.content.questions import Number
from quizprep.errors import ContentError, Problem
from quizprep.sheets.prose import line
from quizprep.sheets.svg import Axis, Mark, MaskPicture, Plot, Series, rounded


def masks(topic: str, library: Library, stored: Mapping[str, Measured]) -> tuple[MaskPicture, ...]:
    """Masks on concepts of the topic, in the order in which exercises are taken."""
    own = library.concepts_of(topic)
    every = topic == library.pictures.every_mask
    return tuple(
        MaskPicture(picture.title, line(picture.says), picture.concepts, exercise.id, visible)
        for exercise in path_order(library.exercises)
        for picture, visible in fresh_masks(exercise, stored)
        if every or own.intersection(picture.concepts)
    )


def plots(topic: str, library: Library, stored: Mapping[str, Measured]) -> tuple[Plot, ...]:
    """The plots of a topic for which the library has what they draw on; raises ContentError."""
    shown = [spec for spec in library.pictures.plots if topic in spec.topics]
    measured = library.exercises if any(isinstance(each, CurvesSpec) for each in shown) else ()
    costs = {each.id: fresh_costs(each, stored) for each in measured}
    found: list[Plot | None] = []
    for spec in shown:
        try:
            if isinstance(spec, CurvesSpec):
                found.append(curves_plot(spec, costs))
            else:
                found.append(roofline_plot(spec, library))
        except (LookupError, ValueError) as error:
            message = f"cannot be drawn ({error!r}); quizprep check says what is wrong with it"
            raise ContentError([Problem(PLOTS, None, spec.title, message)]) from error
    return tuple(plot for plot in found if plot is not None)


Costs = Mapping[str, Mapping[str, str]]
"""By exercise, the formula of each meter."""


def curves_plot(spec: CurvesSpec, costs: Costs) -> Plot | None:
    """The curves whose formulas are known; None without two of them to compare. Curves with the
    same values are drawn as one, under both names."""
    unit, tick_text, value_text = _UNITS[spec.unit]
    shared: dict[tuple[tuple[float, float], ...], Series] = {}
    for look, each in enumerate(spec.curves):
        formula = spec.formula or costs.get(each.exercise or "", {}).get(spec.meter or "", "")
        given = {**spec.given, **each.given}
        if formula and parsed(formula).symbols <= given.keys() | set(spec.over):
            points = tuple(
                (x, float(_value(formula, {**given, **dict.fromkeys(spec.over, x)}) / unit))
                for x in spec.at
            )
            made = Series(each.name, points, formula, look)
            if twin := shared.get(points):
                made = replace(twin, name=f"{twin.name}, {each.name}")
            shared[points] = made
    series = tuple(shared.values())
    if len(series) < 2:
        return None
    lasts = [curve.points[-1][1] for curve in series]
    ends = (
        f"{curve.name} from {value_text(curve.points[0][1])} to {value_text(last)}"
        for curve, last in zip(series, lasts, strict=True)
    )
    return Plot(
        title=spec.title,
        description=spec.describes.format(
            name=series[0].name,
            first=value_text(series[0].points[0][1]),
            last=value_text(lasts[0]),
            ratio=rounded(lasts[0] / lasts[1]),
            first_x=thousands(spec.at[0]),
            last_x=thousands(spec.at[-1]),
            ends="; ".join(ends),
        ),
        caption=line(spec.caption),
        formula=spec.formula,
        series=series,
        x=Axis(spec.x.label, spec.x.ticks or spec.at, thousands),
        y=Axis(spec.y.label, spec.y.ticks or powers(*_span(series), spec.y.base), tick_text),
        concepts=spec.concepts,
    )


_ROOF = "min(tflops, bandwidth * intensity)"


def roofline_plot(spec: RooflineSpec, library: Library) -> Plot | None:
    """Marks under the roof of a machine; None where the library lacks the machine or a question.

    The intensity of the products with the weights is proportional to the batch of tokens. It is
    that of the ridge at ``ridge_batch``.
    """
    machine = library.hardware.get(spec.machine)
    if machine is None:
        return None
    figures = {
        "tflops": Fraction(repr(machine.tflops)),
        "bandwidth": Fraction(repr(machine.bandwidth)),
    }

    def answer(name: str | None, given: Mapping[str, int]) -> Fraction | None:
        _, question = library.questions.get(name or "", ("", None))
        values: dict[str, Fraction | int] = {**figures, **given}
        if not isinstance(question, Number) or not parsed(question.answer).symbols <= values.keys():
            return None
        return _value(question.answer, values)

    ridge = figures["tflops"] / figures["bandwidth"]
    ridge_batch = answer(spec.ridge_batch.question, spec.ridge_batch.given)
    if ridge_batch is None:
        return None
    marks: list[Mark] = []
    for each in spec.marks:
        if each.tokens is None:
            intensity = answer(each.question, each.given)
        else:
            intensity = each.tokens * ridge / ridge_batch
        if intensity is None:
            return None
        height = float(_value(_ROOF, {**figures, "intensity": intensity}))
        marks.append(Mark(each.name, float(intensity), height, each.prefill))
    corners = (Fraction(spec.x.ticks[0]), ridge, Fraction(spec.x.ticks[-1]))
    roof = tuple((float(x), float(_value(_ROOF, {**figures, "intensity": x}))) for x in corners)
    said = {
        "machine": machine.name,
        "tflops": rounded(machine.tflops),
        "bandwidth": rounded(machine.bandwidth),
        "ridge": rounded(float(ridge)),
        "decode": _listed(mark for mark in marks if not mark.hollow),
        "prefill": _listed(mark for mark in marks if mark.hollow),
    }
    return Plot(
        title=spec.title,
        description=spec.describes.format(**said),
        caption=line(spec.caption.format(**said)),
        formula=_ROOF,
        series=(Series("roof", roof),),
        x=Axis(spec.x.label, spec.x.ticks, lambda value: f"{value:g}"),
        y=Axis(spec.y.label, spec.y.ticks, lambda value: f"{value:g}"),
        concepts=spec.concepts,
        marks=tuple(marks),
    )


def _listed(marks: Iterator[Mark]) -> str:
    return "; ".join(f"{m.name} at {rounded(m.x)} with {rounded(m.y)} Tflop/s" for m in marks)


def _value(formula: str, values: Mapping[str, Fraction | int]) -> Fraction:
    return Fraction(parsed(formula).evaluate(values))


def _span(series: Sequence[Series]) -> tuple[float, float]:
    """From half the least value of the curves, so that none lies on the axis, to the largest."""
    values = [y for each in series for _, y in each.points]
    return min(values) / 2, max(values)


def powers(low: float, high: float, base: int) -> tuple[float, ...]:
    """Powers of a base, for ticks: the largest that is at most ``low``, the smallest that is at
    least ``high``, and all between them; at least two."""
    first = math.floor(math.log(low, base) + _ROUNDING)
    last = max(first + 1, math.ceil(math.log(high, base) - _ROUNDING))
    return tuple(float(base) ** each for each in range(first, last + 1))


_ROUNDING = 1e-9
"""More than the error of a logarithm, so that powers are their own floor and ceiling."""


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
    """A number of tokens: 65,536 is 64k."""
    return f"{value / 1024:g}k" if value >= 1024 else f"{value:g}"


def _fraction_text(value: float) -> str:
    return f"{value:g}" if value >= 1 else f"1/{1 / value:g}"


_BYTES = scaled(1024, ("B", "KiB", "MiB", "GiB"))
_FLOPS = scaled(1000, ("", "k", "M", "G", "T"))
_UNITS: Mapping[str, tuple[int, Callable[[float], str], Callable[[float], str]]] = {
    "bytes": (1, _BYTES, _BYTES),
    "flops": (1, _FLOPS, _FLOPS),
    "GiB": (2**30, _fraction_text, rounded),
}
"""By unit of an axis: its size in base units, the text of a tick, the text of a value."""
