"""The Python files of an exercise, loaded in the judge: reference, mistakes, solution."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import isclass
from pathlib import Path
from types import ModuleType
from typing import Any

from quizprep.exercise import Mistake
from quizprep.worker.backends import Array, Function
from quizprep.worker.judge.script import Drive, script_function


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Reference:
    """The reference of an exercise, and how inputs are made.

    drive       the script of calls, if the exercise is one
    cost        the script whose phases are metered: ``drive``, unless reference.py defines another
    solve_cost  the reference driven by ``cost``
    allowance   a function of the inputs: the absolute error that is tolerated in addition to
                rounding,
                such as the quantisation error of a cache. A script defines a mapping ``ALLOWANCE``
                with
                classes like its own, whose outputs are such errors, entry by entry
    """

    make_inputs: Callable[..., Mapping[str, Array]]
    solve: Function
    drive: Drive | None = None
    cost: Drive | None = None
    solve_cost: Function | None = None
    allowance: Function | None = None
    allowance_cost: Function | None = None


@dataclass(frozen=True)
class Mistakes:
    """An exercise's mistakes, as one model with a switch for each.

    functions  in a script of several functions, their names: ``"id@name"`` switches a mistake on in
               one of them only
    """

    mistakes: Mapping[str, Mistake]
    solve: Function
    functions: tuple[str, ...] = ()


def load_reference(folder: str) -> Reference:
    """Load an exercise's reference.py."""
    module = _load(Path(folder) / "reference.py", "quizprep_reference")
    drive = getattr(module, "drive", None)
    if drive is None:
        allowance = getattr(module, "allowance", None)
        return Reference(module.make_inputs, module.solve, allowance=allowance)
    cost = getattr(module, "cost", drive)
    errors = getattr(module, "ALLOWANCE", None)
    return Reference(
        make_inputs=module.make_inputs,
        solve=script_function(module, drive),
        drive=drive,
        cost=cost,
        solve_cost=script_function(module, cost),
        allowance=None if errors is None else script_function(errors, drive),
        allowance_cost=None if errors is None else script_function(errors, cost),
    )


def reference_entries(folder: str) -> dict[str, Any]:
    """The classes and functions of an exercise's reference.py by name."""
    module = _load(Path(folder) / "reference.py", "quizprep_reference")
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


def load_mistakes(folder: str, reference: Reference | None = None) -> Mistakes:
    """Load an exercise's mistakes.py; without the file there are no mistakes.

    In a script, its ``build(mistakes)`` returns the classes and functions by name.
    """
    path = Path(folder) / "mistakes.py"
    if not path.exists():
        return Mistakes({}, lambda *_: None)
    module = _load(path, "quizprep_mistakes")
    drive = reference.drive if reference is not None else None
    if not hasattr(module, "build"):
        return Mistakes(module.MISTAKES, module.solve)

    functions = tuple(name for name, entry in module.build().items() if not isclass(entry))

    def solve(*args: Array, mistakes: frozenset[str]) -> Array:
        assert drive is not None
        everywhere = frozenset(switch for switch in mistakes if "@" not in switch)
        entries = dict(module.build(everywhere))
        for name in functions if everywhere != mistakes else ():
            here = {s.partition("@")[0] for s in mistakes if s.endswith(f"@{name}")}
            entries[name] = module.build(everywhere | here)[name]
        return script_function(entries, drive)(*args)

    return Mistakes(module.MISTAKES, solve, functions if len(functions) > 1 else ())


def load_solution(path: str, entries: Sequence[str]) -> dict[str, Any]:
    """Load an exercise's solution; returns its entries by name."""
    module = _load(Path(path), "quizprep_solution")
    return {name: getattr(module, name) for name in entries}
