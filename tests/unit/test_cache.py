"""The cache of banks is never stale and never needed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quizprep.content import cache
from quizprep.content.library import Library, shipped_root
from quizprep.content.loading import load_file
from quizprep.content.questions import Bank
from quizprep.errors import ContentError
from tests.cli.program import BANK
from tests.imports import loaded_packages


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A folder with a bank that a test may change."""
    folder = tmp_path / "bank"
    folder.mkdir()
    (folder / "sample.yaml").write_bytes((BANK / "sample.yaml").read_bytes())
    return folder


def test_what_comes_from_the_cache_is_what_was_read(tmp_path: Path) -> None:
    """Every shipped bank is the same with a cold cache, a warm one and none."""
    plain, library = Library(shipped_root()), Library(shipped_root(), cache=tmp_path)
    for topic in library.topics:
        assert library.bank(topic) == library.bank(topic) == plain.bank(topic)


def test_an_edit_is_seen_at_once(bank: Path, tmp_path: Path) -> None:
    """Even of the same length and with the time of the file set back."""
    library = Library(bank, cache=tmp_path / "cache")
    before = library.bank("sample")
    path = bank / "sample.yaml"
    time = path.stat()
    path.write_text(path.read_text().replace("What does a cache keep?", "What does a cache hold?"))
    os.utime(path, ns=(time.st_atime_ns, time.st_mtime_ns))
    assert library.bank("sample") != before
    assert library.bank("sample") == Library(bank).bank("sample")


def test_a_bank_that_became_invalid_is_an_error(bank: Path, tmp_path: Path) -> None:
    """The cache never stands in for a faulty file, nor is one put into it."""
    library = Library(bank, cache=tmp_path / "cache")
    library.bank("sample")
    (bank / "sample.yaml").write_text("format: 2\n")
    for _ in range(2):
        with pytest.raises(ContentError):
            library.bank("sample")


@pytest.mark.parametrize("damage", [b"", b"\xff" * 100, b"\x93\xa1a\xc4\x01b"])
def test_a_damaged_entry_is_made_anew(bank: Path, tmp_path: Path, damage: bytes) -> None:
    """Whatever stands in the cache, the bank is the file's."""
    library = Library(bank, cache=tmp_path / "cache")
    expected = library.bank("sample")
    (entry,) = (tmp_path / "cache").iterdir()
    entry.write_bytes(damage)
    assert library.bank("sample") == expected
    assert entry.read_bytes() != damage


def test_what_was_built_beforehand_is_used_only_while_the_file_is_the_same(
    bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an entry from the build nothing is read; after an edit it is as if it were not there."""
    monkeypatch.setattr(cache, "_prebuilt", lambda path: tmp_path / "built" / f"{path.stem}.x")
    path = bank / "sample.yaml"
    expected = load_file(path, Bank)
    cache.prebuild(path, expected)

    def refuse(*_: object) -> Bank:
        raise AssertionError("the file was read")

    assert cache.cached(path, Bank, tmp_path / "cache", refuse) == expected
    assert not (tmp_path / "cache").exists()
    path.write_text(path.read_text().replace("What does a cache keep?", "What does a cache hold?"))
    edited = cache.cached(path, Bank, tmp_path / "cache", load_file)
    assert edited == load_file(path, Bank) != expected


def test_a_folder_that_cannot_be_written_is_no_fault(bank: Path) -> None:
    """Without a cache the bank is read."""
    assert Library(bank, cache=Path("/proc/none")).bank("sample") == Library(bank).bank("sample")


def test_a_second_round_reads_no_yaml_before_the_first_answer(tmp_path: Path) -> None:
    """The first prompt needs neither YAML nor the scheduler, once the banks were read."""
    env = {"QUIZPREP_HOME": str(tmp_path)}
    args = ["ask", "--bank", str(BANK)]
    assert "yaml" in loaded_packages(args, tmp_path, env)
    assert {"yaml", "fsrs"}.isdisjoint(loaded_packages(args, tmp_path, env))
