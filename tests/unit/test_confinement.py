"""Walls that cannot be raised are named, and what may be read leaves out what is hidden."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.worker import children
from quizprep.worker.learner import confinement

landlock = pytest.importorskip("py_landlock.landlock_sys")
errors = pytest.importorskip("py_landlock.errors")
pyseccomp = pytest.importorskip("pyseccomp")

# Nothing here confines the tests' own process: each test replaces what would.


def refuses(error: Exception) -> Any:
    def refuse(*_: object) -> None:
        raise error

    return refuse


TREE = ["a", "a/b", "a/b/c", "a/b/d", "a/e", "f", "f/g"]


@given(st.sets(st.sampled_from(TREE)))
def test_what_is_hidden_is_not_inside_anything_readable(
    tmp_path_factory: pytest.TempPathFactory, hidden: set[str]
) -> None:
    """Of a tree, exactly what is not hidden can be reached through what is allowed."""
    root = tmp_path_factory.mktemp("tree")
    for name in TREE:
        (root / name).mkdir()
        (root / name / "file").touch()
    secret = [str(root / name) for name in hidden]
    allowed: dict[str, None] = {}
    confinement._expand(str(root), secret, allowed)
    for name in TREE:
        path = root / name / "file"
        reached = any(path.is_relative_to(folder) for folder in allowed)
        assert reached != any(path.is_relative_to(folder) for folder in secret), name


def test_a_folder_that_is_not_there_is_not_allowed(tmp_path: Path) -> None:
    """A library root that this system lacks is left out: there is nothing to open."""
    allowed: dict[str, None] = {}
    confinement._expand(str(tmp_path / "none"), [], allowed)
    assert allowed == {}


@pytest.mark.parametrize("error", [errors.LandlockError("none"), OSError(38, "none")])
def test_a_kernel_without_landlock_is_said(
    error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Old kernels and those that have it switched off: one wall is missing, and which."""
    monkeypatch.setattr(landlock, "get_abi_version", refuses(error))
    said = confinement._landlock([], str(tmp_path))
    assert said == "Landlock (this kernel has none, or it is switched off)"


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that a rule was made for; nothing is restricted."""
    made: list[str] = []

    def add(_: int, attributes: Any) -> None:
        made.append(os.readlink(f"/proc/self/fd/{attributes.parent_fd}"))

    monkeypatch.setattr(landlock, "get_abi_version", lambda: 1)
    monkeypatch.setattr(landlock, "create_ruleset", lambda _: os.open(os.devnull, os.O_RDONLY))
    monkeypatch.setattr(landlock, "add_rule", add)
    monkeypatch.setattr(landlock, "restrict_self", lambda *_: None)
    monkeypatch.setattr("py_landlock.prctl.set_no_new_privs", lambda: None)
    return made


def test_what_is_gone_needs_no_rule(rules: list[str], tmp_path: Path) -> None:
    """A file that went between listing and opening is no reason to run without the wall."""
    there = tmp_path / "there"
    there.touch()
    assert confinement._landlock([str(there), str(tmp_path / "gone")], str(tmp_path)) == ""
    assert rules == [str(there), str(tmp_path)]


def test_a_wall_that_falls_while_it_is_built_is_missing(
    rules: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The reason of the kernel is in the sentence, and no descriptor is left behind."""
    monkeypatch.setattr(landlock, "restrict_self", refuses(OSError(1, "not permitted")))
    before = os.listdir("/proc/self/fd")
    assert "not permitted" in confinement._landlock([], str(tmp_path))
    assert os.listdir("/proc/self/fd") == before


class Filter:
    """A filter of system calls that knows some names and loads or does not."""

    def __init__(self, unknown: frozenset[str] = frozenset(), error: OSError | None = None) -> None:
        self.unknown = unknown
        self.error = error
        self.names: set[str] = set()

    def set_attr(self, *_: object) -> None:
        """What happens to a call of another architecture."""

    def add_rule(self, _: int, name: str, *__: object) -> None:
        if name in self.unknown:
            raise OSError(22, "unknown")
        self.names.add(name)

    def load(self) -> None:
        if self.error is not None:
            raise self.error


@given(st.sets(st.sampled_from(sorted(confinement._ALLOWED | confinement._REFUSED)), max_size=5))
def test_a_call_that_this_system_does_not_know_is_left_out(unknown: set[str]) -> None:
    """All other calls have their rule, and the wall stands."""
    made = Filter(frozenset(unknown))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyseccomp, "SyscallFilter", lambda _: made)
        load, missing = confinement._seccomp()
    assert (load(), missing) == ("", "")
    listed = confinement._ALLOWED | confinement._REFUSED
    assert made.names & listed == listed - unknown


def test_a_filter_that_is_refused_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is made or when it is loaded: the sentence gives the reason."""
    monkeypatch.setattr(pyseccomp, "SyscallFilter", lambda _: Filter(frozenset({"clone"})))
    assert confinement._seccomp()[1] == "seccomp ([Errno 22] unknown)"
    refused = Filter(error=OSError(1, "not permitted"))
    monkeypatch.setattr(pyseccomp, "SyscallFilter", lambda _: refused)
    load, missing = confinement._seccomp()
    assert (load(), missing) == ("seccomp ([Errno 1] not permitted)", "")


def test_a_child_of_a_parent_that_is_gone_leaves() -> None:
    """Whoever was forked by a process that died in between does not go on alone."""
    pid = os.fork()
    if pid == 0:
        children.die_with_parent(os.getpid())  # which is not its parent
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
