"""Every exercise folder keeps its promises, before any grading is involved."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import inspect
import itertools
import os
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from quizprep.content.exercises import Runtime
from quizprep.content.library import Exercise, Library, shipped_root
from quizprep.grading.plan import fixed_cases
from quizprep.worker.arena import lay_out
from quizprep.worker.backends import backend_for
from quizprep.worker.judge.exercise_files import Reference, load_mistakes, load_reference
from quizprep.worker.judge.preparation import case_inputs
from quizprep.worker.judge.script import Outputs as Script
from quizprep.worker.judge.script import script_function
from quizprep.worker.learner.torch_meters import differentiated

os.environ["TRITON_INTERPRET"] = "1"
torch.set_num_threads(1)

LIBRARY = Library(shipped_root())
EVERY_EXERCISE = pytest.mark.parametrize("name", LIBRARY.exercise_ids)

Inputs = tuple[Any, ...]
Outputs = tuple[np.ndarray, ...]


# --- loading and drawing -----------------------------------------------------------------------


@cache
def load(path: Path) -> ModuleType:
    """A file of an exercise as a module; dataclasses and Triton want it in sys.modules."""
    name = f"content_{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def entries(exercise: Exercise, path: Path) -> dict[str, Any]:
    """What the exercise asks for, as a file defines it."""
    names = (exercise.spec.entry, *exercise.spec.also)
    return {name: getattr(load(path), name) for name in names}


def solved_by(exercise: Exercise, path: Path) -> Any:
    """A file as a function of the inputs: its entry, or the script that drives its entries."""
    drive = reference_of(exercise.id).drive
    found = entries(exercise, path)
    return found[exercise.spec.entry] if drive is None else script_function(found, drive)


@cache
def reference_of(name: str) -> Reference:
    return load_reference(str(LIBRARY.exercise(name).folder))


@cache
def faulty(name: str) -> Any:
    return load_mistakes(str(LIBRARY.exercise(name).folder), reference_of(name)).solve


def part(exercise: Exercise, name: str) -> ModuleType:
    return load(exercise.folder / name)


@cache
def cases(name: str, dtype: str | None = None) -> tuple[Inputs, ...]:
    """The inputs of the fixed cases as the grader lays them out, guard zones included; in the
    drawn dtypes and magnitudes, or in the dtype given at the first magnitude."""
    spec = LIBRARY.exercise(name).spec
    backend = backend_for(spec.runtime)
    made = []
    for case in fixed_cases(name, spec):
        if dtype:
            case = msgspec.structs.replace(case, dtype=dtype, magnitude=spec.cases.magnitudes[0])
        made.append(case_inputs(reference_of(name), case, backend).args)
    return tuple(made)


def as_outputs(result: Any) -> Outputs:
    """Results as float64 arrays; a single one counts as a tuple of one."""
    results = result if isinstance(result, tuple) else (result,)
    return tuple(
        (
            r.detach().double().numpy()
            if isinstance(r, torch.Tensor)
            else np.asarray(r, dtype=np.float64)
        )
        for r in results
    )


def outputs_of(name: str, solve: Any, inputs: Inputs) -> Outputs:
    """The outputs, and behind them the gradients where an exercise judges these."""
    exercise = LIBRARY.exercise(name)
    if not exercise.spec.cases.gradients:
        return as_outputs(solve(*inputs))
    arguments = list(inspect.signature(part(exercise, "reference.py").solve).parameters)
    places = [arguments.index(argument) for argument in exercise.spec.cases.gradients]
    results = solve(*inputs)
    results = results if isinstance(results, tuple) else (results,)
    weights = [torch.linspace(-1, 1, x.numel(), dtype=x.dtype).view(x.shape) for x in results]
    return as_outputs(differentiated(solve, places, weights)(*inputs))


@cache
def expected(name: str, dtype: str | None = None) -> tuple[Outputs, ...]:
    """What the reference gives for each case."""
    solve = reference_of(name).solve
    return tuple(outputs_of(name, solve, inputs) for inputs in cases(name, dtype))


def close(one: Outputs, other: Outputs, tolerance: float, allowed: Any = ()) -> bool:
    """Whether outputs agree, up to a tolerance and what the exercise allows beside it."""
    each = allowed or [0.0] * len(one)
    return len(one) == len(other) and all(
        x.shape == y.shape
        and bool(np.all(np.isclose(x, y, tolerance, tolerance + np.asarray(by), equal_nan=True)))
        for x, y, by in zip(one, other, each, strict=True)
    )


def allowance(name: str, inputs: Inputs) -> Any:
    """What is right beside rounding, output by output; nothing for most exercises."""
    allows = reference_of(name).allowance
    return () if allows is None else as_outputs(allows(*inputs))


def with_rounding(allowed: Any, right: Outputs, tolerance: float) -> list[Any]:
    """An allowance and what sums lose: an entry in proportion to the largest one of its output."""
    lost = [tolerance * np.max(np.abs(y), initial=0.0, where=np.isfinite(y)) for y in right]
    return [a + b for a, b in zip(allowed or [0.0] * len(right), lost, strict=True)]


def model(name: str, switches: frozenset[str], inputs: Inputs) -> Outputs:
    """The faulty model's outputs; none where the mistake does not fit the shapes, or takes from
    a list that is empty."""
    solve = faulty(name)
    try:
        return outputs_of(name, lambda *args: solve(*args, mistakes=switches), inputs)
    except (RuntimeError, IndexError):
        return ()


def visible(name: str) -> float:
    """A difference that rounding in the exercise's lowest precision does not explain."""
    dtypes = LIBRARY.exercise(name).spec.cases.dtypes
    return 1e-4 if set(dtypes) <= {"float32", "float64"} else 0.02


def differs(name: str, switches: frozenset[str]) -> bool:
    """Whether the faulty model leaves the reference on some case."""
    return any(
        not close(model(name, switches, inputs), right, visible(name), allowance(name, inputs))
        for inputs, right in zip(cases(name), expected(name), strict=True)
    )


def switches_of(name: str, *, cost: bool) -> list[tuple[str, str]]:
    """Pairs of mistake and switch, of the mistakes of cost or of the others."""
    known = part(LIBRARY.exercise(name), "mistakes.py").MISTAKES
    return [
        (mistake, switch)
        for mistake, described in known.items()
        if bool(described.cost) is cost
        for switch in described.switches(mistake)
    ]


# --- the properties ----------------------------------------------------------------------------


@EVERY_EXERCISE
def test_faulty_model_without_a_mistake_is_right(name: str) -> None:
    """With no switch on, the model in mistakes.py gives what the reference gives."""
    for inputs, right in zip(cases(name, "float64"), expected(name, "float64"), strict=True):
        assert close(model(name, frozenset(), inputs), right, 1e-6, allowance(name, inputs))


@EVERY_EXERCISE
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_solution_is_right(name: str, dtype: str) -> None:
    """The solution agrees with the reference, leaves its inputs alone and keeps their dtype.

    A Triton kernel accumulates in float32 by its nature, so it is judged in float64 only where
    its exercise asks for that.
    """
    exercise = LIBRARY.exercise(name)
    if exercise.spec.runtime is Runtime.TRITON and dtype not in exercise.spec.cases.dtypes:
        dtype = "float32"
    solve = solved_by(exercise, exercise.solution)
    tolerance = {"float32": 1e-4, "float64": 1e-6}[dtype]
    for inputs, right in zip(cases(name, dtype), expected(name, dtype), strict=True):
        before = [as_outputs(value) for value in inputs]
        got = outputs_of(name, solve, inputs)
        allowed = with_rounding(allowance(name, inputs), right, tolerance)
        assert close(got, right, tolerance, allowed)
        assert all(close(as_outputs(v), b, 0) for v, b in zip(inputs, before, strict=True))


@EVERY_EXERCISE
def test_solution_survives_the_cases_as_drawn(name: str) -> None:
    """In the exercise's own dtypes and magnitudes the solution is finite where it should be."""
    exercise = LIBRARY.exercise(name)
    solve = solved_by(exercise, exercise.solution)
    for inputs, right in zip(cases(name), expected(name), strict=True):
        for got, want in zip(outputs_of(name, solve, inputs), right, strict=True):
            assert np.array_equal(np.isfinite(got), np.isfinite(want))


@EVERY_EXERCISE
def test_every_mistake_shows(name: str) -> None:
    """Each way of making each mistake leaves the reference on some case."""
    hidden = [s for _, s in switches_of(name, cost=False) if not differs(name, frozenset({s}))]
    assert not hidden


@EVERY_EXERCISE
def test_every_pair_of_mistakes_shows(name: str) -> None:
    """Two mistakes together never cancel out."""
    pairs = itertools.combinations(switches_of(name, cost=False), 2)
    hidden = [
        (one, other)
        for (first, one), (second, other) in pairs
        if first != second and not differs(name, frozenset({one, other}))
    ]
    assert not hidden


@EVERY_EXERCISE
def test_mistakes_can_be_told_apart(name: str) -> None:
    """No two different mistakes give the same output on every case."""
    outputs = {
        switch: (mistake, [model(name, frozenset({switch}), inputs) for inputs in cases(name)])
        for mistake, switch in switches_of(name, cost=False)
    }
    same = [
        (one, other)
        for (one, (first, xs)), (other, (second, ys)) in itertools.combinations(outputs.items(), 2)
        if first != second and all(close(x, y, visible(name)) for x, y in zip(xs, ys, strict=True))
    ]
    assert not same


@EVERY_EXERCISE
def test_mistakes_of_cost_are_right_and_compose(name: str) -> None:
    """A mistake that only costs gives right outputs, and runs beside any other."""
    others = [switch for _, switch in switches_of(name, cost=False)]
    for _, switch in switches_of(name, cost=True):
        for inputs, right in zip(cases(name, "float32"), expected(name, "float32"), strict=True):
            got = model(name, frozenset({switch}), inputs)
            allowed = with_rounding(allowance(name, inputs), right, 1e-4)
            assert close(got, right, 1e-4, allowed)
        for other in others:
            model(name, frozenset({switch, other}), cases(name)[0])


@EVERY_EXERCISE
def test_inputs_take_the_sizes_of_the_contract(name: str) -> None:
    """make_inputs accepts what the cost points and the witness name, and solve takes the result."""
    exercise = LIBRARY.exercise(name)
    contract, reference = exercise.spec.contract, part(exercise, "reference.py")
    first = {symbol: values[0] for symbol, values in contract.sizes.items()}
    assert set(contract.witness) <= set(contract.sizes)
    points = [first | contract.options]
    points += [point for c in contract.compare for point in (c.at, c.against)]
    for point in points:
        inputs = reference.make_inputs(np.random.default_rng(0), **point)
        backend = backend_for(exercise.spec.runtime)
        ready = lay_out(inputs, backend, "float32", "contiguous", False).views(backend)
        measured = reference_of(name).solve_cost or reference.solve
        result = measured(*ready)
        if isinstance(result, Script):
            assert set(result.names) <= exercise.spec.returns.keys()
            continue
        outputs = as_outputs(result)
        axes = exercise.spec.returns.values()
        assert len(outputs) == len(axes)
        for output, names in zip(outputs, axes, strict=True):
            # An axis may be made of sizes (h = g*r): then its name is no size.
            assert len(names) == output.ndim
            sizes = [point.get(a, size) for a, size in zip(names, output.shape, strict=True)]
            assert list(output.shape) == sizes


@EVERY_EXERCISE
def test_starter_is_a_todo(name: str) -> None:
    """The starter has the solution's signatures and raises NotImplementedError."""
    exercise = LIBRARY.exercise(name)
    path = exercise.folder / "starter.py"
    solution = entries(exercise, exercise.solution)
    for entry, starter in entries(exercise, path).items():
        assert starter.__doc__
        assert _signatures(starter) == _signatures(solution[entry])
    with pytest.raises(NotImplementedError):
        solved_by(exercise, path)(*cases(name)[0])


def _signatures(entry: Any) -> dict[str, list[str]]:
    """The parameters of a function, or of each method of a class that is no helper."""
    if not inspect.isclass(entry):
        return {"": list(inspect.signature(entry).parameters)}
    public = {n: f for n, f in vars(entry).items() if n == "__init__" or not n.startswith("_")}
    methods = {name: f for name, f in public.items() if inspect.isfunction(f)}
    return {name: list(inspect.signature(f).parameters) for name, f in methods.items()}


@EVERY_EXERCISE
def test_readme_example_is_true(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worked example of the README prints what it says, with the solution as the file."""
    exercise = LIBRARY.exercise(name)
    monkeypatch.setitem(sys.modules, exercise.id, load(exercise.solution))
    blocks = re.findall(r"^```python\n(.*?)^```", exercise.text("README.md"), re.M | re.S)
    examples = [block for block in blocks if ">>>" in block]
    assert examples
    reported: list[str] = []
    for block in examples:
        test = doctest.DocTestParser().get_doctest(block, {}, exercise.id, None, 0)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
        runner.run(test, out=reported.append)
    assert not reported, "".join(reported)


@EVERY_EXERCISE
def test_references_exist(name: str) -> None:
    """Concepts, sources and prerequisites are ids of the library."""
    exercise = LIBRARY.exercise(name)
    known = part(exercise, "mistakes.py").MISTAKES
    concepts = {*exercise.spec.concepts, *(mistake.concept for mistake in known.values())}
    assert concepts <= LIBRARY.concepts.keys()
    assert set(exercise.spec.sources) <= LIBRARY.sources.keys()
    assert set(exercise.spec.after) <= set(LIBRARY.exercise_ids)
    assert exercise.spec.concepts[0] in concepts


@EVERY_EXERCISE
def test_models_do_not_depend_on_the_order_of_a_set(name: str) -> None:
    """No statement loops over the switches as they come: strings hash anew in each process, and
    two switches would be two mistakes on one day and one on the next."""
    tree = ast.parse(LIBRARY.exercise(name).text("mistakes.py"))
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For)]
    assert [loop.lineno for loop in loops if ast.unparse(loop.iter) == "mistakes"] == []
