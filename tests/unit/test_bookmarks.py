"""Bookmarks, resets and backups of the store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from quizprep.store import FILE_NAME, Store
from tests.unit.test_store import ANSWER, NOW, card


def test_a_bookmark_has_the_latest_note_until_it_is_dropped(tmp_path: Path) -> None:
    """The latest first; rows are only appended."""
    with Store.open(tmp_path) as store:
        store.bookmark("a", "why?", NOW)
        store.bookmark("b", "", NOW)
        store.bookmark("a", "because", NOW)
        assert list(store.bookmarks().items()) == [("a", "because"), ("b", "")]
        store.bookmark("b", "", NOW, kept=False)
        assert store.bookmarks() == {"a": "because"}


def test_a_reset_exercise_counts_as_not_tried(tmp_path: Path) -> None:
    """Gradings and hints from before it are on record only; other exercises keep theirs."""
    later = NOW + timedelta(minutes=1)
    with Store.open(tmp_path) as store:
        for exercise in ("softmax", "rope"):
            store.show_hint(exercise, NOW)
            store.record_attempt(exercise, True, [], "{}", NOW)
        store.reset_exercise("softmax", later)
        assert store.hints_shown("softmax") == 0 and store.hints_shown("rope") == 1
        assert [attempt.exercise for attempt in store.attempts()] == ["rope"]
        store.record_attempt("softmax", False, [], "{}", later)
        assert [attempt.passed for attempt in store.attempts("softmax")] == [False]


def test_a_backup_holds_everything_and_never_overwrites(tmp_path: Path) -> None:
    """The copy opens as a store; a file in the way is left as it is."""
    with Store.open(tmp_path / "home") as store:
        review = store.record_review(ANSWER, card)
        target = tmp_path / "other" / FILE_NAME
        target.parent.mkdir()
        store.back_up(target)
        with pytest.raises(FileExistsError):
            store.back_up(target)
    with Store.open(target.parent) as copy:
        assert copy.reviews() == [review]
    assert [each.name for each in target.parent.iterdir()] == [FILE_NAME]
