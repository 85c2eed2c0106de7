"""What was measured of exercises, so that it can be shown without grading anything.

- `exercises/<id>/measured.yaml`: the solution's exact cost formulas;
- `exercises/figures.yaml`: what sheets draw on, the masks and checksums of their sources.

``quizprep check --write`` measures and writes both; every ``quizprep check`` measures again and
compares. An entry of `figures.yaml` holds a checksum of the source that was run: where the source
has changed since, the entry is void, and what was measured from it is not shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from quizprep.content.exercises import Picture
from quizprep.content.library import MEASURED, Exercise, Library
from quizprep.content.loading import load_file, shown_path
from quizprep.content.questions import Content, Id
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
        kept, found = exercise.measured.get(meter), formulas.get(meter)
        if kept != found:
            says = f"the file says {kept or 'nothing'}, measured is {found or 'nothing'}"
            yield Problem(place, None, meter, f"{says}; {_REMEDY}")


FIGURES = "figures.yaml"

Visible = tuple[tuple[bool, ...], ...]
"""A mask: for each query a row with a truth value for each key."""

_Row = Annotated[str, Meta(pattern=r"^[x.]*$")]


class Mask(Content, frozen=True, kw_only=True):
    """A mask: in row i, column j is ``x`` where query i sees key j.

    source  the checksum of the reference and of the picture's sizes and seed
    """

    source: str
    rows: Annotated[tuple[_Row, ...], Meta(min_length=1)]

    @property
    def visible(self) -> Visible:
        """The mask as truth values."""
        return tuple(tuple(sign == "x" for sign in row) for row in self.rows)


class Measured(Content, frozen=True, kw_only=True):
    """The measurements of one exercise.

    solution  the checksum of the solution whose costs stand in measured.yaml
    masks     one for each picture of the exercise
    """

    solution: str
    masks: tuple[Mask, ...] = ()


def figures_path(library: Library) -> Path:
    """The file; a library need not have one."""
    return library.root / "exercises" / FIGURES


def figures(library: Library) -> dict[Id, Measured]:
    """What was measured, by exercise; raises ContentError."""
    path = figures_path(library)
    return load_file(path, dict[Id, Measured]) if path.is_file() else {}


def measured_now(exercise: Exercise, masks: Sequence[Visible]) -> Measured:
    """The entry of an exercise, given the masks that its pictures show now."""
    pictures = zip(exercise.spec.pictures, masks, strict=True)
    return Measured(
        solution=_checksum(exercise.solution),
        masks=tuple(
            Mask(
                source=_picture_checksum(exercise, picture),
                rows=tuple("".join("x" if seen else "." for seen in row) for row in mask),
            )
            for picture, mask in pictures
        ),
    )


def fresh_costs(exercise: Exercise, kept: Mapping[Id, Measured]) -> dict[str, str]:
    """The formulas of measured.yaml, or nothing where the solution has changed since."""
    entry = kept.get(exercise.id)
    if entry is None or entry.solution != _checksum(exercise.solution):
        return {}
    return exercise.measured


def fresh_masks(
    exercise: Exercise, kept: Mapping[Id, Measured]
) -> Iterator[tuple[Picture, Visible]]:
    """The pictures of an exercise with masks that the present reference gave."""
    entry = kept.get(exercise.id)
    by_source = {mask.source: mask for mask in entry.masks} if entry is not None else {}
    for picture in exercise.spec.pictures:
        if mask := by_source.get(_picture_checksum(exercise, picture)):
            yield picture, mask.visible


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
    kept = figures(library)
    for name, now in found.items():
        entry = kept.get(name)
        if entry is None:
            yield Problem(place, None, name, f"is missing; {_REMEDY}")
        elif entry.solution != now.solution:
            says = f"solutions/{name}.py has changed since its costs were written"
            yield Problem(place, None, f"{name}, solution", f"{says}; {_REMEDY}")
        elif entry.masks != now.masks:
            says = "the pictures or the reference have changed since the masks were written"
            yield Problem(place, None, f"{name}, masks", f"{says}; {_REMEDY}")


def _checksum(*parts: Path | bytes) -> str:
    """Of files and bytes, short enough to be read."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.read_bytes() if part.is_file() else b""
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()[:16]


def _picture_checksum(exercise: Exercise, picture: Picture) -> str:
    asked = msgspec.json.encode((picture.sizes, picture.seed), order="sorted")
    return _checksum(exercise.folder / "reference.py", asked)
