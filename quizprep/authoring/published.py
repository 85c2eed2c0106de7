"""Costs of algorithms as papers publish them, compared with what the solutions cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from quizprep.content.library import Exercise, Library
from quizprep.content.loading import load_file, shown_path
from quizprep.content.questions import Id, Text
from quizprep.errors import Problem
from quizprep.formula import FormulaError, Polynomial, dominated, leading_terms, parse, relation


class Published(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The growth that a source gives for what one meter of an exercise reads.

    growth   a formula in the symbols of the exercise's contract
    says     where the source says it, and of what
    where    relations between sizes beside the contract's, such as ``d <= n``
    at_most  the source bounds more than the meter reads: compared in one direction only
    """

    exercise: Id
    meter: Annotated[str, Meta(min_length=1)]
    source: Id
    growth: Text
    says: Text
    where: tuple[Text, ...] = ()
    at_most: bool = False


def published_path(library: Library) -> Path:
    """The file of published costs; it need not exist."""
    return library.root / "exercises" / "published.yaml"


def published(library: Library) -> tuple[Published, ...]:
    """The published costs, in the order of the file; raises ContentError."""
    path = published_path(library)
    return load_file(path, tuple[Published, ...]) if path.is_file() else ()


def published_problems(library: Library, names: Iterable[str]) -> Iterator[Problem]:
    """Contradictions between the file of published costs and the exercises named."""
    place = shown_path(published_path(library))
    wanted = set(names)
    for entry in published(library):
        field = f"{entry.exercise}, {entry.meter}"
        if entry.exercise not in library.exercise_ids:
            yield Problem(place, None, field, "there is no such exercise")
        elif entry.source not in library.sources:
            yield Problem(place, None, field, f"there is no source {entry.source}")
        elif entry.exercise in wanted:
            try:
                fault = difference(entry, library.exercise(entry.exercise))
            except FormulaError as error:
                fault = f"the growth {error}"
            if fault:
                yield Problem(place, None, field, fault)


def difference(entry: Published, exercise: Exercise) -> str:
    """How the measured and the published growth differ; empty if they do not.

    Raises FormulaError if the entry's formula or relations cannot be read.
    """
    if entry.meter not in exercise.measured:
        return f"measured.yaml gives no {entry.meter}"
    where = tuple(relation(text) for text in (*exercise.spec.contract.where, *entry.where))
    found = measured_polynomial(exercise, entry.meter)
    said = parse(entry.growth).expand()
    order = list(exercise.spec.contract.sizes)
    grows = leading_terms(found, where).text(order)
    shown = f"measured growth is {grows}, published {said.text(order)}"
    if not dominated(found, said, where):
        return f"{shown}: the solution grows faster"
    if not entry.at_most and not dominated(said, found, where):
        return f"{shown}: the solution grows more slowly; with at_most that is allowed"
    return ""


def measured_polynomial(exercise: Exercise, meter: str) -> Polynomial:
    """The measured cost of an exercise by one meter, as a polynomial."""
    return parse(exercise.measured[meter]).expand()
