"""Pictures of masks show what the references do, found by running them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.content.measured import figures, fresh_masks
from quizprep.grading.pool import GraderFault, Nursery

LIBRARY = Library(shipped_root())
PICTURED = [exercise for exercise in LIBRARY.exercises if exercise.spec.pictures]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """One torch process for all probes."""
    made = Nursery("torch")
    yield made
    made.close()


@pytest.mark.parametrize("exercise", PICTURED, ids=lambda e: e.id)
def test_kept_masks_are_what_the_reference_shows(nursery: Nursery, exercise) -> None:
    """Each mask that is kept is the one that the reference gives when it is asked again."""
    for picture, kept in fresh_masks(exercise, figures(LIBRARY)):
        found = nursery.probe(str(exercise.folder), picture.sizes, picture.seed)
        assert found.visible == kept


def test_another_reference_gives_another_mask(nursery: Nursery, tmp_path: Path) -> None:
    """A reference that hides the diagonal is seen to do so: the picture is not drawn by hand."""
    folder = tmp_path / "causal_mask"
    shutil.copytree(LIBRARY.exercise("causal_mask").folder, folder)
    path = folder / "reference.py"
    path.write_text(path.read_text().replace("j <= i + m - n", "j < i + m - n"))
    found = nursery.probe(str(folder), {"n": 3, "m": 3, "d": 2}, 0)
    assert found.visible == (
        (False, False, False),
        (True, False, False),
        (True, True, False),
    )


def test_a_reference_that_cannot_be_probed_is_a_fault(nursery: Nursery) -> None:
    """An exercise without keys and values gives an error, no empty picture; the next works."""
    with pytest.raises(GraderFault):
        nursery.probe(str(LIBRARY.exercise("softmax").folder), {}, 0)
    causal = LIBRARY.exercise("causal_mask")
    assert nursery.probe(str(causal.folder), {"n": 1, "m": 1}, 0).visible == ((True,),)


def test_every_kind_of_mask_is_pictured() -> None:
    """The masks that an interview asks about are there."""
    titles = {picture.title for exercise in PICTURED for picture in exercise.spec.pictures}
    assert titles >= {
        "Causal",
        "Padding",
        "Packed documents",
        "Sliding window",
        "Sinks and a window",
        "Window and global tokens",
    }
