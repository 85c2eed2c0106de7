"""The solution's exact cost formulas, kept in `exercises/<id>/measured.yaml`.

``quizprep check --write`` measures and writes them; every ``quizprep check`` measures again
and compares. So they can be shown without grading anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from quizprep.content.library import MEASURED, Exercise
from quizprep.content.loading import shown_path
from quizprep.errors import Problem

_HEADER = "# What the solution costs; measured and written by: quizprep check --write\n"
_REMEDY = "run quizprep check --write, and look at what changed"


def measured_text(formulas: Mapping[str, str]) -> str:
    """The content of the file: a formula, quoted, a meter."""
    return _HEADER + "".join(f'{meter}: "{text}"\n' for meter, text in formulas.items())


def write_measured(exercise: Exercise, formulas: Mapping[str, str]) -> Path | None:
    """Write the exercise's file; the path, or None where it says that already."""
    path = exercise.folder / MEASURED
    text = measured_text(formulas)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return None
    path.write_text(text, encoding="utf-8")
    return path


def measured_problems(exercise: Exercise, formulas: Mapping[str, str]) -> Iterator[Problem]:
    """Where the file and what was measured just now differ."""
    path = exercise.folder / MEASURED
    place = shown_path(path)
    if not path.is_file():
        yield Problem(place, None, "", f"is missing; {_REMEDY}")
        return
    for meter in dict.fromkeys([*exercise.measured, *formulas]):
        kept, found = exercise.measured.get(meter), formulas.get(meter)
        if kept != found:
            says = f"the file says {kept or 'nothing'}, measured is {found or 'nothing'}"
            yield Problem(place, None, meter, f"{says}; {_REMEDY}")
