"""Which pictures study sheets show: the types of `exercises/plots.yaml` and `hardware.yaml`.

A library without these files shows the pictures that are shipped, as far as it has what they
draw on.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from quizprep.content.exercises import MeterName, Symbol
from quizprep.content.questions import Content, Id, Text

Positive = Annotated[float, Meta(gt=0)]
Given = dict[Symbol, int]
"""A value for each of some symbols of a formula."""

CURVES_SAY = ("name", "first", "last", "ratio", "first_x", "last_x", "ends")
"""What ``describes`` of curves may name: the first curve and its values at the first and last
place, how many times the second curve's last value its own is, the two places, and the ends of
every curve in words."""
ROOFLINE_SAYS = ("machine", "tflops", "bandwidth", "ridge", "decode", "prefill")
"""What the texts of a roofline may name: figures of the machine, and the marks in words."""


class Hardware(Content, frozen=True, kw_only=True):
    """A machine: dense Tflop/s, and TB/s of main memory. ``origin`` says where the figures are
    from where no paper does."""

    name: Text
    tflops: Positive
    bandwidth: Positive
    source: Id | None = None
    origin: str = ""


class AxisSpec(Content, frozen=True, kw_only=True):
    """A logarithmic axis; where ``ticks`` is empty they are powers of ``base`` around the values,
    or, for x, the places of the curves."""

    label: Text
    ticks: tuple[Positive, ...] = ()
    base: Annotated[int, Meta(ge=2)] = 10


class _PlotSpec(Content, frozen=True, kw_only=True, tag_field="kind"):
    """A plot: the topics whose sheets show it, and the concepts whose cards do.

    describes  the picture in words, for those who cannot see it
    """

    title: Text
    topics: Annotated[tuple[Id, ...], Meta(min_length=1)]
    concepts: Annotated[tuple[Id, ...], Meta(min_length=1)]
    describes: Text
    caption: Text
    x: AxisSpec
    y: AxisSpec


class CurveSpec(Content, frozen=True, kw_only=True):
    """A curve: the exercise whose cost it shows, where it is measured, and values of its own."""

    name: Text
    exercise: Id | None = None
    given: Given = field(default_factory=dict)


class CurvesSpec(_PlotSpec, frozen=True, kw_only=True, tag="curves"):
    """Formulas over one symbol, or over several that are equal.

    formula  of every curve; or else
    meter    which formula of ``measured.yaml`` to draw for the curves' exercises
    over     the symbols of the x axis
    at       their values
    given    values of the other symbols
    unit     what the values of y are written in
    """

    formula: str = ""
    meter: MeterName | None = None
    over: Annotated[tuple[Symbol, ...], Meta(min_length=1)]
    at: Annotated[tuple[Annotated[int, Meta(gt=0)], ...], Meta(min_length=2)]
    given: Given = field(default_factory=dict)
    curves: Annotated[tuple[CurveSpec, ...], Meta(min_length=2)]
    unit: Literal["bytes", "flops", "GiB"]


class AskedSpec(Content, frozen=True, kw_only=True):
    """The answer of a number question, for some values of its parameters."""

    question: Id
    given: Given = field(default_factory=dict)


class MarkSpec(Content, frozen=True, kw_only=True):
    """A point on the roof: its intensity is the answer of a question, or that of products of the
    weights with so many ``tokens`` at once."""

    name: Text
    question: Id | None = None
    given: Given = field(default_factory=dict)
    tokens: Annotated[int, Meta(gt=0)] | None = None
    prefill: bool = False


class RooflineSpec(_PlotSpec, frozen=True, kw_only=True, tag="roofline"):
    """The roof of a machine with marks on it.

    ridge_batch  how many tokens at once bring products of the weights to the ridge
    """

    machine: Id
    ridge_batch: AskedSpec
    marks: Annotated[tuple[MarkSpec, ...], Meta(min_length=1)]


PlotSpec = CurvesSpec | RooflineSpec


class Pictures(Content, frozen=True, kw_only=True):
    """All pictures. The topic ``every_mask`` shows the masks of all exercises, other topics those
    on their concepts."""

    every_mask: Id
    plots: tuple[PlotSpec, ...] = ()
