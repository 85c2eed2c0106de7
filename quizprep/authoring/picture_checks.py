"""What can be wrong with the pictures of sheets: names of what is not there, and formulas."""

from __future__ import annotations

import contextlib
import string
from collections.abc import Collection, Iterator

from quizprep import maths
from quizprep.authoring.references import unknown_names
from quizprep.content.exercise_checks import unknown_name
from quizprep.content.library import HARDWARE, PLOTS, Library
from quizprep.content.loading import placed
from quizprep.content.pictures import (
    CURVES_SAY,
    ROOFLINE_SAYS,
    CurvesSpec,
    Given,
    RooflineSpec,
)
from quizprep.content.questions import Number
from quizprep.content.yaml_tree import Finding, Steps
from quizprep.errors import ContentError, Problem
from quizprep.formula import FormulaError, parse


def picture_problems(library: Library) -> list[Problem]:
    """What is wrong in the library's own files, by file and line.

    Where a file that they refer to does not load there are none: that file has to load first.
    """
    problems: list[Problem] = []
    for name, findings in ((HARDWARE, _hardware_findings), (PLOTS, _plot_findings)):
        path = library.root / "exercises" / name
        if path.is_file():
            with contextlib.suppress(ContentError):
                problems += placed(path, list(findings(library)))
    return problems


def _hardware_findings(library: Library) -> Iterator[Finding]:
    for name, machine in library.hardware.items():
        if machine.source is not None:
            yield from _named((name, "source"), machine.source, library.sources, "sources.yaml")


def _plot_findings(library: Library) -> Iterator[Finding]:
    found = library.pictures
    yield from _named(("every_mask",), found.every_mask, library.topics, "the topics")
    for place, plot in enumerate(found.plots):
        steps: Steps = ("plots", place)
        yield from unknown_names((*steps, "topics"), plot.topics, library.topics, "the topics")
        concepts = library.concepts
        yield from unknown_names((*steps, "concepts"), plot.concepts, concepts, "concepts.yaml")
        for fault in maths.problems(plot.caption):
            yield (*steps, "caption"), fault
        if isinstance(plot, CurvesSpec):
            yield from _gaps((*steps, "describes"), plot.describes, CURVES_SAY)
            yield from _curve_findings(steps, plot, library)
        else:
            yield from _gaps((*steps, "describes"), plot.describes, ROOFLINE_SAYS)
            yield from _gaps((*steps, "caption"), plot.caption, ROOFLINE_SAYS)
            yield from _roofline_findings(steps, plot, library)


def _curve_findings(steps: Steps, plot: CurvesSpec, library: Library) -> Iterator[Finding]:
    if bool(plot.formula) == (plot.meter is not None):
        yield (*steps, "formula"), "write either a formula or a meter"
    for place, curve in enumerate(plot.curves):
        own = (*steps, "curves", place)
        if plot.formula:
            known = {*plot.given, *plot.over, *curve.given}
            yield from _formula_findings((*steps, "formula"), plot.formula, known)
        elif curve.exercise is None:
            yield (*own, "exercise"), "is missing; name the exercise whose meter is drawn"
        else:
            home = library.exercise_ids
            yield from _named((*own, "exercise"), curve.exercise, home, "exercises/")


def _roofline_findings(steps: Steps, plot: RooflineSpec, library: Library) -> Iterator[Finding]:
    yield from _named((*steps, "machine"), plot.machine, library.hardware, "hardware.yaml")
    for name, axis in (("x", plot.x), ("y", plot.y)):
        if len(axis.ticks) < 2:
            yield (*steps, name, "ticks"), "has no ticks between which to draw; write at least two"
    asked = plot.ridge_batch
    yield from _asked_findings((*steps, "ridge_batch"), asked.question, asked.given, library)
    for place, mark in enumerate(plot.marks):
        own = (*steps, "marks", place)
        if (mark.question is None) == (mark.tokens is None):
            yield own, "write either a question or tokens"
        if mark.question is not None:
            yield from _asked_findings(own, mark.question, mark.given, library)


def _asked_findings(steps: Steps, name: str, given: Given, library: Library) -> Iterator[Finding]:
    yield from _named((*steps, "question"), name, library.questions, "any bank")
    _, question = library.questions.get(name, ("", None))
    if isinstance(question, Number):
        known = {*given, "tflops", "bandwidth"}
        yield from _formula_findings((*steps, "given"), question.answer, known)
    elif question is not None:
        yield (*steps, "question"), f"{name} does not ask for a number; name one that does"


def _formula_findings(steps: Steps, text: str, known: Collection[str]) -> Iterator[Finding]:
    try:
        symbols = parse(text).symbols
    except FormulaError as error:
        yield steps, f"{error}; write a formula such as 2 * layers * d"
        return
    for name in sorted(symbols - set(known)):
        yield steps, f"gives no value to {name}, which the formula {text} uses"


def _named(steps: Steps, name: str, known: Collection[str], home: str) -> Iterator[Finding]:
    if message := unknown_name(name, known, home):
        yield steps, message


def _gaps(steps: Steps, text: str, known: Collection[str]) -> Iterator[Finding]:
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        yield steps, "holds a brace that is no placeholder; write {{ or }} for a literal one"
        return
    for name in names:
        if name not in known:
            listed = ", ".join(known)
            yield steps, f"holds {{{name}}}, which is none of: {listed}"
