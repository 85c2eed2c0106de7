"""The Python files of an exercise, loaded in the judge: reference, mistakes, solution."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from quizprep.exercise import Mistake


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Reference:
    """What is right, and how inputs are made."""

    make_inputs: Callable[..., Mapping[str, Any]]
    solve: Callable[..., Any]


@dataclass(frozen=True)
class Mistakes:
    """What people get wrong, as one model with a switch per mistake."""

    mistakes: Mapping[str, Mistake]
    solve: Callable[..., Any]


def load_reference(folder: str) -> Reference:
    """reference.py of an exercise."""
    module = _load(Path(folder) / "reference.py", "quizprep_reference")
    return Reference(module.make_inputs, module.solve)


def load_mistakes(folder: str) -> Mistakes:
    """mistakes.py of an exercise; one without the file knows no mistakes."""
    path = Path(folder) / "mistakes.py"
    if not path.exists():
        return Mistakes({}, lambda *_: None)
    module = _load(path, "quizprep_mistakes")
    return Mistakes(module.MISTAKES, module.solve)


def load_solution(path: str, entry: str) -> Callable[..., Any]:
    """The entry of the good answer."""
    found: Callable[..., Any] = getattr(_load(Path(path), "quizprep_solution"), entry)
    return found
