"""Published costs: each is the measured growth, and a false one would be found."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from quizprep.authoring.evidence import costs_text
from quizprep.authoring.published import Published, difference, published, published_problems
from quizprep.content.library import Library, shipped_root

LIBRARY = Library(shipped_root())
ENTRIES = published(LIBRARY)
EVERY_ENTRY = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.exercise}-{e.meter}")


def test_the_measured_growths_are_the_published_ones() -> None:
    """Every entry names an exercise, a source and a meter, and agrees with the measurement."""
    assert ENTRIES
    assert not [str(problem) for problem in published_problems(LIBRARY, LIBRARY.exercise_ids)]


@EVERY_ENTRY
def test_a_false_claim_is_found(entry: Published) -> None:
    """A growth with one symbol more or one less is told from the measured one."""
    exercise = LIBRARY.exercise(entry.exercise)
    symbol = next(iter(exercise.spec.contract.sizes))
    slower = msgspec.structs.replace(entry, growth=f"({entry.growth}) / {symbol}**2")
    faster = msgspec.structs.replace(entry, growth=f"({entry.growth}) * {symbol}")
    assert "grows faster" in difference(slower, exercise)
    assert ("grows more slowly" in difference(faster, exercise)) != entry.at_most


@EVERY_ENTRY
def test_a_costlier_solution_is_found(entry: Published) -> None:
    """Were the solution's reading to grow with one more symbol, the entry would not hold."""
    exercise = LIBRARY.exercise(entry.exercise)
    symbol = next(iter(exercise.spec.contract.sizes))
    costlier = {entry.meter: f"{exercise.measured[entry.meter]} + ({entry.growth})*{symbol}"}
    assert difference(entry, replace(exercise, measured=costlier))


def test_the_page_tells_every_entry() -> None:
    """The section of costs has a row and a note for each entry, and is the same each time."""
    text = costs_text(LIBRARY)
    assert text == costs_text(Library(shipped_root()))
    for entry in ENTRIES:
        assert f"| {entry.exercise} | {entry.meter} | {entry.source} |" in text
        assert entry.says in text
