"""Writing the measurements of exercises, and comparing what is stored with what was measured now.

``quizprep check --write`` writes `measured.yaml` and `figures.yaml`; every ``quizprep check``
measures again and compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from quizprep.content.library import MEASURED, Exercise, Library
from quizprep.content.loading import shown_path
from quizprep.content.measured import (
    Mask,
    Measured,
    Visible,
    checksum,
    figures,
    figures_path,
    picture_checksum,
)
from quizprep.content.questions import Id
from quizprep.errors import Problem

_HEADER = "# What {}; measured and written by: quizprep check --write\n"
_REMEDY = "run quizprep check --write, and look at what changed"


def measured_text(formulas: Mapping[str, str]) -> str:
    """The content of the file: a quoted formula for each meter."""
    return _HEADER.format("the solution costs") + "".join(
        f'{meter}: "{text}"\n' for meter, text in formulas.items()
    )


def write_measured(exercise: Exercise, formulas: Mapping[str, str]) -> Path | None:
    """Write the exercise's file; the path, or None where nothing changed."""
    return _written(exercise.folder / MEASURED, measured_text(formulas))


def _written(path: Path, text: str) -> Path | None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return None
    path.write_text(text, encoding="utf-8")
    return path


def measured_problems(exercise: Exercise, formulas: Mapping[str, str]) -> Iterator[Problem]:
    """Differences between the file and what was measured just now."""
    path = exercise.folder / MEASURED
    place = shown_path(path)
    if not path.is_file():
        yield Problem(place, None, "", f"is missing; {_REMEDY}")
        return
    for meter in dict.fromkeys([*exercise.measured, *formulas]):
        stored, found = exercise.measured.get(meter), formulas.get(meter)
        if stored != found:
            says = f"the file says {stored or 'nothing'}, measured is {found or 'nothing'}"
            yield Problem(place, None, meter, f"{says}; {_REMEDY}")


def measured_now(exercise: Exercise, masks: Sequence[Visible]) -> Measured:
    """The entry of an exercise, given the masks that its pictures show now."""
    pictures = zip(exercise.spec.pictures, masks, strict=True)
    return Measured(
        solution=checksum(exercise.solution),
        masks=tuple(
            Mask(
                source=picture_checksum(exercise, picture),
                rows=tuple("".join("x" if seen else "." for seen in row) for row in mask),
            )
            for picture, mask in pictures
        ),
    )


def figures_text(entries: Mapping[Id, Measured]) -> str:
    """The content of the file."""
    lines = [_HEADER.format("sheets draw on")]
    for name, entry in sorted(entries.items()):
        lines.append(f'{name}:\n  solution: "{entry.solution}"\n')
        if entry.masks:
            lines.append("  masks:\n")
        for mask in entry.masks:
            lines.append(f'    - source: "{mask.source}"\n      rows:\n')
            lines += [f'        - "{row}"\n' for row in mask.rows]
    return "".join(lines)


def write_figures(library: Library, found: Mapping[Id, Measured]) -> Path | None:
    """Update entries of the file; the path, or None where nothing changed.

    Entries of exercises that no longer exist are dropped.
    """
    path = figures_path(library)
    entries = {**figures(library), **found}
    text = figures_text({name: entries[name] for name in entries if name in library.exercise_ids})
    return _written(path, text)


def figure_problems(library: Library, found: Mapping[Id, Measured]) -> Iterator[Problem]:
    """Differences between the file and what was measured just now."""
    place = shown_path(figures_path(library))
    stored = figures(library)
    for name, now in found.items():
        entry = stored.get(name)
        if entry is None:
            yield Problem(place, None, name, f"is missing; {_REMEDY}")
        elif entry.solution != now.solution:
            says = f"solutions/{name}.py has changed since its costs were written"
            yield Problem(place, None, f"{name}, solution", f"{says}; {_REMEDY}")
        elif entry.masks != now.masks:
            says = "the pictures or the reference have changed since the masks were written"
            yield Problem(place, None, f"{name}, masks", f"{says}; {_REMEDY}")
