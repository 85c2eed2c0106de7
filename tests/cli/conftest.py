"""An empty folder and the program that runs in it, with a home beside it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.cli.program import Program, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder in which the program runs."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def quizprep(folder: Path, tmp_path: Path) -> Program:
    """Runs the real program in the folder."""
    return partial(run, folder, home=tmp_path / "home")
