"""References of an exercise: to concepts, sources, and the exercises to take before it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from quizprep.content.exercise_checks import unknown_name
from quizprep.content.exercises import ExerciseSpec
from quizprep.content.yaml_tree import Finding, Steps


def reference_findings(
    spec: ExerciseSpec,
    concepts: Collection[str] | None,
    sources: Collection[str] | None,
    exercises: Collection[str],
) -> Iterator[Finding]:
    """References to what does not exist. A table that could not be loaded is None and admits any
    name."""
    for field, home, table in (
        ("concepts", "concepts.yaml", concepts),
        ("sources", "sources.yaml", sources),
        ("after", "exercises/", exercises),
    ):
        yield from unknown_names((field,), getattr(spec, field), table, home)
    for place, picture in enumerate(spec.pictures):
        steps: Steps = ("pictures", place, "concepts")
        yield from unknown_names(steps, picture.concepts, concepts, "concepts.yaml")


def circle(after: Mapping[str, Collection[str]], start: str) -> list[str]:
    """A cycle of prerequisites from an exercise back to itself; empty where there is none."""
    ways = [[name, start] for name in after.get(start, ())]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[0] == start:
            return way
        if way[0] not in seen:
            seen.add(way[0])
            ways += [[name, *way] for name in after.get(way[0], ())]
    return []


def unknown_names(
    steps: Steps, names: Sequence[str], known: Collection[str] | None, home: str
) -> Iterator[Finding]:
    """The items of a list that are not known, or are listed twice.

    known  None where it could not be loaded, which admits any name
    home   the file or field that holds the known names
    """
    for place, name in enumerate(names):
        if name in names[:place]:
            yield (*steps, place), f"{name} is named twice; name it once"
        elif known is not None and (message := unknown_name(name, known, home)):
            yield (*steps, place), message
