"""Mutants of solutions: which there are, and which there are not."""

from __future__ import annotations

import ast

import pytest

from quizprep.authoring.mutants import equivalents, mutants
from quizprep.content.library import Exercise, Library, shipped_root

EXERCISES = Library(shipped_root()).exercises
EVERY_EXERCISE = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)


def changes(source: str) -> set[str]:
    return {mutant.change for mutant in mutants(source)}


@EVERY_EXERCISE
def test_every_mutant_is_another_program(exercise: Exercise) -> None:
    """A mutant of a solution is valid Python, differs from it, and sits on a line of it."""
    source = exercise.solution.read_text(encoding="utf-8")
    plain = ast.unparse(ast.parse(source))
    lines = {line.strip() for line in source.splitlines()}
    found = list(mutants(source))
    assert len(found) > 5
    for mutant in found:
        assert ast.unparse(ast.parse(mutant.source)) != plain
        assert mutant.inside in lines


@EVERY_EXERCISE
def test_listed_mutants_exist(exercise: Exercise) -> None:
    """What mutants.yaml calls equivalent is a mutant of today's solution, listed once."""
    source = exercise.solution.read_text(encoding="utf-8")
    made = {(mutant.inside, mutant.change) for mutant in mutants(source)}
    listed = [(each.inside, each.change) for each in equivalents(exercise)]
    assert set(listed) <= made
    assert len(listed) == len(set(listed))


def test_an_axis_is_shifted_and_a_factor_is_negated() -> None:
    """Of four axes -2 is 2, so an axis keeps its sign; anywhere else the sign is what matters."""
    assert changes("y = x.shape[-2]") == {"-2 -> -3", "-2 -> -1", "y = x.shape[-2] -> nothing"}
    assert changes("y = f(-1)") == {"-1 -> -2", "-1 -> -0", "y = f(-1) -> nothing"}
    assert "-8 -> +8" in changes("y = -8 * x")
    assert "-n -> +n" in changes("y = -n % w")
    assert "-0.5 -> +0.5" in changes("y = f(d ** -0.5)")
    # True is no number to shift, though Python counts it among them.
    assert changes("y = f(-True)") == {"True -> False", "-True -> +True", "y = f(-True) -> nothing"}


def test_what_nothing_depends_on_is_left_alone() -> None:
    """Devices, strictness, docstrings and annotations give no mutants."""
    assert changes('"""1 + 1"""\ndef f(x: T[-1]): pass\n"""2"""') == set()
    assert changes("f(g(a, b, strict=True), device=x[0])") == {
        "f(g(a, b, strict=True), device=x[0]) -> nothing"
    }
