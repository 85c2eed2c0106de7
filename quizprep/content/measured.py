"""Measurements of exercises that are stored, so that sheets show them without grading anything.

- `exercises/<id>/measured.yaml`: the solution's exact cost formulas;
- `exercises/figures.yaml`: the masks that sheets draw, and checksums of the sources.

``quizprep check --write`` writes both (``quizprep.authoring.measuring``). An entry of
`figures.yaml` holds a checksum of the source that was run; once the source has changed, the entry
is void, and what was measured from it is not shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from quizprep.content.exercises import Picture
from quizprep.content.library import Exercise, Library
from quizprep.content.loading import load_file
from quizprep.content.questions import Content, Id

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


def fresh_costs(exercise: Exercise, stored: Mapping[Id, Measured]) -> dict[str, str]:
    """The formulas of measured.yaml, or nothing where the solution has changed since."""
    entry = stored.get(exercise.id)
    if entry is None or entry.solution != checksum(exercise.solution):
        return {}
    return exercise.measured


def fresh_masks(
    exercise: Exercise, stored: Mapping[Id, Measured]
) -> Iterator[tuple[Picture, Visible]]:
    """The pictures of an exercise with their masks; a mask that another version of the reference
    gave is left out."""
    entry = stored.get(exercise.id)
    by_source = {mask.source: mask for mask in entry.masks} if entry is not None else {}
    for picture in exercise.spec.pictures:
        if mask := by_source.get(picture_checksum(exercise, picture)):
            yield picture, mask.visible


def checksum(*parts: Path | bytes) -> str:
    """A checksum of files and bytes, short enough to read; a missing file counts as empty."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.read_bytes() if part.is_file() else b""
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()[:16]


def picture_checksum(exercise: Exercise, picture: Picture) -> str:
    """The checksum of what a picture's mask was made from: reference, sizes and seed."""
    asked = msgspec.json.encode((picture.sizes, picture.seed), order="sorted")
    return checksum(exercise.folder / "reference.py", asked)
