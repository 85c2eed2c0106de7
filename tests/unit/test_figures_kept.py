"""What sheets draw on is kept with the sum of its source, and void once that has changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.authoring.measuring import (
    figure_problems,
    figures_text,
    measured_now,
    write_figures,
)
from quizprep.content.library import Exercise, Library, shipped_root
from quizprep.content.loading import load_file
from quizprep.content.measured import (
    Mask,
    Measured,
    figures,
    figures_path,
    fresh_costs,
    fresh_masks,
)

LIBRARY = Library(shipped_root())
KEPT = figures(LIBRARY)

MASK = ((True, False), (True, True))

sums = st.text("0123456789abcdef", min_size=16, max_size=16)
masks = st.builds(
    Mask, source=sums, rows=st.lists(st.text("x.", max_size=5), min_size=1).map(tuple)
)
entries = st.builds(Measured, solution=sums, masks=st.lists(masks, max_size=2).map(tuple))


@pytest.fixture
def causal(tmp_path: Path) -> Library:
    """A library that holds one exercise, whose two pictures are kept as one small mask."""
    for name in ("exercises", "solutions"):
        (tmp_path / name).mkdir()
    root = shipped_root()
    shutil.copytree(root / "exercises" / "causal_mask", tmp_path / "exercises" / "causal_mask")
    shutil.copy(root / "solutions" / "causal_mask.py", tmp_path / "solutions")
    library = Library(tmp_path)
    assert write_figures(library, {"causal_mask": now(library)}) == figures_path(library)
    return Library(tmp_path)


def now(library: Library) -> Measured:
    """The entry as it would be measured now, if every picture showed the small mask."""
    exercise = library.exercise("causal_mask")
    return measured_now(exercise, [MASK for _ in exercise.spec.pictures])


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@given(st.dictionaries(st.sampled_from(LIBRARY.exercise_ids), entries))
def test_entries_are_read_back_as_written(tmp_path_factory, found: dict[str, Measured]) -> None:
    """Whatever is measured, a sum of digits alone or a row of one dot, comes back the same."""
    path = tmp_path_factory.mktemp("kept") / "figures.yaml"
    path.write_text(figures_text(found) if found else "{}\n", encoding="utf-8")
    assert load_file(path, dict[str, Measured]) == found


def test_what_was_written_is_fresh(causal: Library) -> None:
    """Right after writing, costs and masks are shown, and the check has nothing to say."""
    exercise, kept = causal.exercise("causal_mask"), figures(causal)
    assert fresh_costs(exercise, kept) == exercise.measured
    assert [mask for _, mask in fresh_masks(exercise, kept)] == [MASK, MASK]
    assert not list(figure_problems(causal, {"causal_mask": now(causal)}))
    assert write_figures(causal, {"causal_mask": now(causal)}) is None


def test_a_changed_solution_voids_its_costs(causal: Library) -> None:
    """After an edit of the solution no cost is shown, the masks stay, and the check says so."""
    exercise = causal.exercise("causal_mask")
    append(exercise.solution, "\n# faster\n")
    assert fresh_costs(exercise, figures(causal)) == {}
    assert len(list(fresh_masks(exercise, figures(causal)))) == 2
    (problem,) = figure_problems(causal, {"causal_mask": now(causal)})
    assert "has changed" in problem.message and "--write" in problem.message


def test_a_changed_reference_voids_its_masks(causal: Library) -> None:
    """After an edit of the reference no mask is shown, the costs stay, and the check says so."""
    exercise = causal.exercise("causal_mask")
    append(exercise.folder / "reference.py", "\n# other\n")
    assert list(fresh_masks(exercise, figures(causal))) == []
    assert fresh_costs(exercise, figures(causal)) == exercise.measured
    (problem,) = figure_problems(causal, {"causal_mask": now(causal)})
    assert problem.field == "causal_mask, masks"


def test_a_picture_of_other_sizes_has_no_mask(causal: Library) -> None:
    """A mask belongs to the sizes that it was found at."""
    path = causal.exercise("causal_mask").folder / "exercise.yaml"
    text = path.read_text(encoding="utf-8").replace("n: 4, m: 10", "n: 5, m: 10")
    path.write_text(text, encoding="utf-8")
    shown = [p.title for p, _ in fresh_masks(Library(causal.root).exercise("causal_mask"), KEPT)]
    assert shown == ["Causal"]


def test_a_library_without_the_file_shows_nothing_measured(causal: Library) -> None:
    """What no file vouches for is not shown, and the check asks for the file."""
    figures_path(causal).unlink()
    exercise = causal.exercise("causal_mask")
    assert figures(causal) == {} and fresh_costs(exercise, {}) == {}
    (problem,) = figure_problems(causal, {"causal_mask": now(causal)})
    assert "is missing" in problem.message


def test_an_entry_of_an_exercise_that_is_gone_goes(causal: Library) -> None:
    """Writing leaves out what no folder stands for."""
    gone = Measured(solution="0" * 16)
    write_figures(causal, {"gone": gone})
    assert set(figures(causal)) == {"causal_mask"}


@pytest.mark.parametrize("exercise", LIBRARY.exercises, ids=lambda e: e.id)
def test_what_is_shipped_is_fresh(exercise: Exercise) -> None:
    """Costs and masks that are shipped belong to the sources that are shipped; where this
    fails, run ``quizprep check --write``."""
    assert fresh_costs(exercise, KEPT) == exercise.measured
    assert len(list(fresh_masks(exercise, KEPT))) == len(exercise.spec.pictures)


def test_pictures_name_concepts_that_exist() -> None:
    """A picture on an unknown concept would stand on no sheet."""
    for exercise in LIBRARY.exercises:
        for picture in exercise.spec.pictures:
            assert set(picture.concepts) <= LIBRARY.concepts.keys()
