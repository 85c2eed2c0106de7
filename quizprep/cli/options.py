"""Exercises that come with quizprep, or the learner's own in a folder that they name."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from quizprep.content.library import Exercise, Library, plain_id, shipped_root
from quizprep.errors import UsageError

OPTION = "--exercises"
exercises_option = click.option(
    OPTION,
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with your own exercises, instead of those that come with quizprep.",
)


def library_in(folder: Path | None) -> Library:
    """The library in a folder, or the one that is shipped.

    Raises UsageError where the folder holds no exercise, or one whose id is taken: attempts and
    hints are stored by id.
    """
    shipped = Library(shipped_root())
    if folder is None or folder.resolve() == shipped.root:
        return shipped
    # The processes that grade have other working folders.
    own = Library(folder.resolve())
    if not own.exercise_ids:
        raise UsageError(
            f"There are no exercises in {folder}.",
            hint=f"Begin one with: quizprep new exercise ID --folder {shlex.quote(str(folder))}",
        )
    taken = {plain_id(id) for id in shipped.exercise_ids}
    for id in own.exercise_ids:
        if plain_id(id) in taken:
            raise UsageError(
                f"{id} in {folder} has the id of an exercise that comes with quizprep.",
                hint="Rename its folder and its solution: attempts are stored by id.",
            )
    return own


def command(verb: str, exercise: Exercise, folder: Path | None) -> str:
    """What to type for an exercise, wherever it comes from: ``quizprep grade ID``."""
    where = f" {OPTION} {shlex.quote(str(folder))}" if folder is not None else ""
    return f"quizprep {verb} {exercise.id}{where}"
