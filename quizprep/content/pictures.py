"""Which pictures study sheets show: the types of `exercises/plots.yaml` and `hardware.yaml`.

A library without these files uses the shipped ones, and shows the pictures whose exercises and
questions it has.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from quizprep.content.exercises import Symbol
from quizprep.content.questions import Content, Id, Text
from quizprep.meter import MeterKind

Positive = Annotated[float, Meta(gt=0)]
Given = dict[Symbol, int]
"""A value for each of some symbols of a formula."""

CURVES_SAY = ("name", "first", "last", "ratio", "first_x", "last_x", "ends")
"""Placeholders in ``describes`` of curves: the first curve's name, its first and its last value,
the ratio of that to the second curve's last value, the first and the last place on the x axis,
and both ends of every curve in words."""
ROOFLINE_SAYS = ("machine", "tflops", "bandwidth", "ridge", "decode", "prefill")
"""Placeholders in the texts of a roofline: figures of the machine, and its marks in words."""


class Hardware(Content, frozen=True, kw_only=True):
    """A machine: its dense Tflop/s, and the TB/s of its main memory. The figures are from a
    ``source`` in sources.yaml, or ``origin`` says where they are from."""

    name: Text
    tflops: Positive
    bandwidth: Positive
    source: Id | None = None
    origin: str = ""


class AxisSpec(Content, frozen=True, kw_only=True):
    """A logarithmic axis. Without ``ticks``, x has a tick at each value that the curves are
    computed at, and y has ticks at powers of ``base``."""

    label: Text
    ticks: tuple[Positive, ...] = ()
    base: Annotated[int, Meta(ge=2)] = 10


class _PlotSpec(Content, frozen=True, kw_only=True, tag_field="kind"):
    """A plot, shown on the sheets of its topics and on Anki cards about its concepts.

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
    """A curve: the exercise whose measured cost it shows, if any, and values of its own."""

    name: Text
    exercise: Id | None = None
    given: Given = field(default_factory=dict)


class CurvesSpec(_PlotSpec, frozen=True, kw_only=True, tag="curves"):
    """Formulas over one symbol, or over several that are equal.

    formula  of every curve, or
    meter    whose formula in ``measured.yaml`` is drawn for the exercise of each curve
    over     the symbols of the x axis
    at       their values
    given    values of the other symbols
    unit     what the values of y are written in
    """

    formula: str = ""
    meter: MeterKind | None = None
    over: Annotated[tuple[Symbol, ...], Meta(min_length=1)]
    at: Annotated[tuple[Annotated[int, Meta(gt=0)], ...], Meta(min_length=2)]
    given: Given = field(default_factory=dict)
    curves: Annotated[tuple[CurveSpec, ...], Meta(min_length=2)]
    unit: Literal["bytes", "flops", "GiB"]


class AskedSpec(Content, frozen=True, kw_only=True):
    """The answer to a number question, for some values of its parameters."""

    question: Id
    given: Given = field(default_factory=dict)


class MarkSpec(Content, frozen=True, kw_only=True):
    """A point on the roof. Its arithmetic intensity is the answer to a question, or that of the
    matrix products with the weights for a batch of ``tokens`` tokens."""

    name: Text
    question: Id | None = None
    given: Given = field(default_factory=dict)
    tokens: Annotated[int, Meta(gt=0)] | None = None
    prefill: bool = False


class RooflineSpec(_PlotSpec, frozen=True, kw_only=True, tag="roofline"):
    """The roof of a machine with marks on it.

    ridge_batch  asks for the batch of tokens with which the products with the weights reach
                 the ridge
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
