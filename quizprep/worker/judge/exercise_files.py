"""The Python files of an exercise, loaded in the judge: reference, mistakes, solution."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from quizprep.exercise import Mistake
from quizprep.worker.backends import Array, Function
from quizprep.worker.judge.script import Drive, local


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Reference:
    """What is right, and how inputs are made.

    drive  the script of calls, where the exercise is one; cost is the script whose phases are
           metered, which is drive itself unless reference.py has one, and solve_cost what it
           gives with the reference
    allowance  of the inputs, an absolute error that is right beside rounding, such as what a
           quantised cache may lose. A script has a mapping ``ALLOWANCE`` with classes like its
           own, whose outputs are such errors, entry by entry
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
    """What people get wrong, as one model with a switch per mistake."""

    mistakes: Mapping[str, Mistake]
    solve: Function


def load_reference(folder: str) -> Reference:
    """reference.py of an exercise."""
    module = _load(Path(folder) / "reference.py", "quizprep_reference")
    drive = getattr(module, "drive", None)
    if drive is None:
        allowance = getattr(module, "allowance", None)
        return Reference(module.make_inputs, module.solve, allowance=allowance)
    cost = getattr(module, "cost", drive)
    errors = getattr(module, "ALLOWANCE", None)
    return Reference(
        make_inputs=module.make_inputs,
        solve=local(module, drive),
        drive=drive,
        cost=cost,
        solve_cost=local(module, cost),
        allowance=None if errors is None else local(errors, drive),
        allowance_cost=None if errors is None else local(errors, cost),
    )


def load_mistakes(folder: str, reference: Reference | None = None) -> Mistakes:
    """mistakes.py of an exercise; one without the file knows no mistakes.

    In a script its ``build(mistakes)`` gives what the file defines, by name.
    """
    path = Path(folder) / "mistakes.py"
    if not path.exists():
        return Mistakes({}, lambda *_: None)
    module = _load(path, "quizprep_mistakes")
    drive = reference.drive if reference is not None else None
    if not hasattr(module, "build"):
        return Mistakes(module.MISTAKES, module.solve)

    def solve(*args: Array, mistakes: frozenset[str]) -> Array:
        assert drive is not None
        return local(module.build(mistakes), drive)(*args)

    return Mistakes(module.MISTAKES, solve)


def load_solution(path: str, entries: Sequence[str]) -> dict[str, Any]:
    """What the good answer defines, by name."""
    module = _load(Path(path), "quizprep_solution")
    return {name: getattr(module, name) for name in entries}
