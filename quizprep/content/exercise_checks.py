"""What can be wrong with an exercise.yaml that has every field: formulas, names, references."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping

from quizprep.content.exercises import ExerciseSpec, Limit
from quizprep.content.yaml_tree import Finding, Steps
from quizprep.formula import FormulaError, parse, relation, two_sides


def spec_findings(spec: ExerciseSpec) -> Iterator[Finding]:
    """What is wrong in the file itself: such an exercise cannot be graded."""
    cases, contract = spec.cases, spec.contract
    known = {*cases.sizes, *cases.options}
    yield from _relations(("cases", "where"), cases.where, known, "sizes or options", _two_sides)
    yield from _names(("cases", "listed"), cases.listed, cases.sizes, "cases.sizes")
    sizes = contract.sizes
    for field, read in (("where", _two_products), ("points_where", _two_sides)):
        texts: tuple[str, ...] = getattr(contract, field)
        yield from _relations(("contract", field), texts, sizes, "contract.sizes", read)
    for tile, lengths in contract.tiles.items():
        yield from _names(("contract", "tiles", tile), (tile,), sizes, "contract.sizes")
        yield from _names(("contract", "tiles", tile), lengths, sizes, "contract.sizes")
    if contract.witness:
        known = {*sizes, *contract.options}
        yield from _names(("contract", "witness"), tuple(contract.witness), known, "the contract")
        for name in sizes:
            if name not in contract.witness:
                yield (
                    ("contract", "witness"),
                    f"gives no {name}; the process is watched at one size",
                )
    for meter, limit in contract.limits().items():
        phase = ("phases", meter.phase) if meter.phase else ()
        steps: Steps = ("contract", *phase, meter.kind)
        yield from _limit(steps, limit, sizes)


def reference_findings(
    spec: ExerciseSpec,
    concepts: Collection[str] | None,
    sources: Collection[str] | None,
    exercises: Collection[str],
) -> Iterator[Finding]:
    """What it names that is not there; a table that is None refuses nothing."""
    for field, home, table in (
        ("concepts", "concepts.yaml", concepts),
        ("sources", "sources.yaml", sources),
        ("after", "exercises/", exercises),
    ):
        named: tuple[str, ...] = getattr(spec, field)
        if table is not None:
            yield from _names((field,), named, table, home)
    for place, picture in enumerate(spec.pictures):
        if concepts is not None:
            steps: Steps = ("pictures", place, "concepts")
            yield from _names(steps, picture.concepts, concepts, "concepts.yaml")


def circle(after: Mapping[str, Collection[str]], start: str) -> list[str]:
    """The way from an exercise back to itself along what comes before it, or an empty one."""
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


def _limit(steps: Steps, limit: Limit, sizes: Collection[str]) -> Iterator[Finding]:
    formulas = {"growth": limit.growth, "exact": limit.exact}
    if limit.growth is not None and limit.exact is not None:
        yield steps, "has growth and exact; keep one of them"
    if not any(formulas.values()) and limit.budget is None:
        yield steps, "limits nothing; give it a growth, an exact formula or a budget"
    for field, text in formulas.items():
        if text is None:
            continue
        try:
            formula = parse(text)
            formula.expand()
        except FormulaError as error:
            yield (*steps, field), f"{error}; write a formula such as b*h*n*d"
            continue
        yield from _names((*steps, field), tuple(sorted(formula.symbols)), sizes, "contract.sizes")


def _relations(
    steps: Steps,
    texts: tuple[str, ...],
    known: Collection[str],
    home: str,
    names: Callable[[str], set[str]],
) -> Iterator[Finding]:
    for place, text in enumerate(texts):
        where = (*steps, place)
        try:
            used = names(text)
        except FormulaError as error:
            yield where, str(error)
            continue
        yield from _names(where, tuple(sorted(used)), known, home)


def _two_sides(text: str) -> set[str]:
    """The symbols of a relation that chooses sizes; raises FormulaError."""
    return {name for side in two_sides(text) for name in side.symbols}


def _two_products(text: str) -> set[str]:
    """The symbols of a relation under which growth is compared; raises FormulaError."""
    found = relation(text)
    return {name for side in (found.small, found.large) for name, _ in side}


def _names(
    steps: Steps, names: tuple[str, ...], known: Collection[str], home: str
) -> Iterator[Finding]:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            listed = ", ".join(known) if len(known) < 12 else ""
            there = f" (there are: {listed})" if listed else ""
            advice = f"did you mean {near[0]}?" if near else f"correct it{there}"
            yield steps, f"{name} is not in {home}; {advice}"
