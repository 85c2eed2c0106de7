"""Planning: which cases and sizes a grading has."""

from __future__ import annotations

from itertools import combinations

import msgspec
import pytest

from quizprep.content.exercises import ExerciseSpec
from quizprep.content.library import Library, shipped_root
from quizprep.grading import plan

LIBRARY = Library(shipped_root())
SPECS = {exercise.id: exercise.spec for exercise in LIBRARY.exercises}


@pytest.fixture(params=sorted(SPECS))
def named(request: pytest.FixtureRequest) -> tuple[str, ExerciseSpec]:
    """Every exercise that is shipped."""
    return request.param, SPECS[request.param]


def test_fixed_cases_are_the_same_every_time(named: tuple[str, ExerciseSpec]) -> None:
    """Two learners, or one learner twice, get the same fixed cases."""
    assert plan.fixed_cases(*named) == plan.fixed_cases(*named)


def test_fixed_cases_begin_with_the_smallest(named: tuple[str, ExerciseSpec]) -> None:
    """The first failure is the smallest counter-example: sizes never shrink along the list."""
    name, spec = named
    volumes = []
    for case in plan.fixed_cases(name, spec):
        volume = 1
        for size in spec.cases.sizes:
            volume *= max(int(case.params[size] or 0), 1)
        volumes.append(volume)
    assert volumes == sorted(volumes)


def test_every_value_of_every_parameter_occurs(named: tuple[str, ExerciseSpec]) -> None:
    """No listed size, option, dtype, layout or magnitude is left untested."""
    name, spec = named
    cases = plan.fixed_cases(name, spec)
    for size, values in spec.cases.sizes.items():
        assert {case.params[size] for case in cases} >= set(values)
    for option, choices in spec.cases.options.items():
        assert {case.params[option] for case in cases} >= set(choices)
    assert {case.dtype for case in cases} >= set(spec.cases.dtypes)
    assert {case.layout for case in cases} == set(spec.cases.layouts)
    assert {case.magnitude for case in cases} >= set(spec.cases.magnitudes)


def test_fresh_cases_follow_the_seed(named: tuple[str, ExerciseSpec]) -> None:
    """A printed seed repeats the fresh cases; another seed gives others."""
    _, spec = named
    assert plan.fresh_cases(spec, 7) == plan.fresh_cases(spec, 7)
    assert plan.fresh_cases(spec, 7) != plan.fresh_cases(spec, 8)


def test_relations_hold_at_every_point(named: tuple[str, ExerciseSpec]) -> None:
    """Sizes for the meters satisfy the contract's relations, and none is measured twice."""
    name, spec = named
    points = plan.cost_points(name, spec.contract, 1)
    holds = plan.holds(spec.contract.where)
    rows = [tuple(point.params[s] for s in spec.contract.sizes) for point in points]
    assert all(holds(point.params) for point in points)
    assert all(a != b for a, b in combinations(rows, 2))
    assert not points[-1].held_out


def test_inputs_at_the_meters_are_fresh(named: tuple[str, ExerciseSpec]) -> None:
    """The same sizes with other numbers for every seed: remembered answers are of no use."""
    name, spec = named
    one, two = (plan.cost_points(name, spec.contract, seed) for seed in (1, 2))
    assert [point.params for point in one] == [point.params for point in two]
    assert not {point.seed for point in one} & {point.seed for point in two}


@pytest.mark.parametrize("where", ["1 <= 0", "rows + cols <= 1"])
def test_a_relation_that_nothing_meets_gives_no_case(where: str) -> None:
    """Planning ends, with no case rather than with one that breaks the relation."""
    spec = SPECS["softmax"]
    none = msgspec.structs.replace(spec, cases=msgspec.structs.replace(spec.cases, where=(where,)))
    assert plan.fixed_cases("softmax", none) == ()
