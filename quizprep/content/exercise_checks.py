"""Checks of an exercise.yaml that has every field: its formulas, names and references."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator

from quizprep.content.exercises import ExerciseSpec, Limit
from quizprep.content.yaml_tree import Finding, Steps
from quizprep.formula import FormulaError, parse, relation, two_sides


def spec_findings(spec: ExerciseSpec) -> Iterator[Finding]:
    """Faults in the file that keep the exercise from being graded."""
    cases, contract = spec.cases, spec.contract
    known = {*cases.sizes, *cases.options}
    yield from _relations(("cases", "where"), cases.where, known, "sizes or options", _two_sides)
    yield from _symbols(("cases", "listed"), cases.listed, cases.sizes, "cases.sizes")
    yield from _symbols(("cases", "says"), cases.says, cases.options, "cases.options")
    for place, values in enumerate(cases.extra):
        names = {*known, "dtype", "layout", "magnitude"}
        yield from _symbols(("cases", "extra", place), values, names, "sizes or options")
    sizes = contract.sizes
    for field, read in (("where", _two_products), ("points_where", _two_sides)):
        texts: tuple[str, ...] = getattr(contract, field)
        yield from _relations(("contract", field), texts, sizes, "contract.sizes", read)
    for tile, lengths in contract.tiles.items():
        yield from _symbols(("contract", "tiles", tile), (tile,), sizes, "contract.sizes")
        yield from _symbols(("contract", "tiles", tile), lengths, sizes, "contract.sizes")
    if contract.witness:
        known = {*sizes, *contract.options}
        yield from _symbols(("contract", "witness"), contract.witness, known, "the contract")
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
        yield from _symbols((*steps, field), sorted(formula.symbols), sizes, "contract.sizes")


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
        yield from _symbols(where, sorted(used), known, home)


def _two_sides(text: str) -> set[str]:
    """The symbols of a relation that chooses sizes; raises FormulaError."""
    return {name for side in two_sides(text) for name in side.symbols}


def _two_products(text: str) -> set[str]:
    """The symbols of a relation under which growth is compared; raises FormulaError."""
    found = relation(text)
    return {name for side in (found.small, found.large) for name, _ in side}


def _symbols(
    steps: Steps, names: Collection[str], known: Collection[str], home: str
) -> Iterator[Finding]:
    for name in names:
        if message := unknown_name(name, known, home):
            yield steps, message


def unknown_name(name: str, known: Collection[str], home: str) -> str | None:
    """What to tell an author about a name that is not known."""
    if name in known:
        return None
    if near := difflib.get_close_matches(name, known, n=1):
        return f"{name} is not in {home}; did you mean {near[0]}?"
    listed = f" (there are: {', '.join(known)})" if 0 < len(known) < 12 else ""
    return f"{name} is not in {home}; correct it, or add it there{listed}"
