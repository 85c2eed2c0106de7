"""Shared by all tests: golden files, a grader, and Hypothesis without deadlines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from quizprep.grading.grader import Grader
from quizprep.grading.pool import Pool

# Two cores are shared with others, so that an example may be slow by accident.
settings.register_profile("default", deadline=None)
settings.load_profile("default")

Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that renews golden files."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files of the tests that run; read the difference before a commit",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Asserts that a text is what a golden file holds; with --update-golden writes the file."""

    def check(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), path.name

    return check


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """The nurseries that the tests of a module share."""
    with Pool() as pool:
        yield pool


@pytest.fixture(scope="module")
def grader(pool: Pool) -> Grader:
    """A grader over these nurseries."""
    return Grader(pool)
