"""``pytest --quizprep`` as a course's CI runs it, in processes of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cohort import RIGHT, WRONG
from tests.imports import ROOT, assert_not_imported

pytest_plugins = ["pytester"]

IMPORTED = 'raise SystemExit("imported by pytest itself")\n'


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No plugin but xdist and ours, a home of its own, and no trace of the workers around it."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:anyio -p no:cacheprovider")
    monkeypatch.setenv("QUIZPREP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)


def test_the_plugin_is_light_until_it_is_asked(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """It imports nothing of quizprep, collects nothing, and leaves files named like exercises."""
    assert_not_imported("quizprep.pytest_plugin", {"msgspec", "yaml", "torch", "click"}, tmp_path)
    pytester.makepyfile(softmax=RIGHT)
    pytester.runpytest_subprocess().assert_outcomes()


def test_items_by_stage_and_kind(pytester: pytest.Pytester) -> None:
    """A right and a wrong submission: items by name, one report, the exit code of failing tests."""
    for name, source in (("ada", RIGHT), ("bob", WRONG)):
        (pytester.path / name).mkdir()
        (pytester.path / name / "softmax.py").write_text(source)
    (pytester.path / "helper.py").write_text(IMPORTED)
    done = pytester.runpytest_subprocess("--quizprep", "-v", "--quizprep-seed", "7")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    out = done.stdout.str()
    assert "ada/softmax.py::load PASSED" in out
    assert "ada/softmax.py::correctness[float32] PASSED" in out
    assert "ada/softmax.py::cost[flops] PASSED" in out
    assert "ada/softmax.py::verdict PASSED" in out
    documented = (ROOT / "docs" / "pytest.md").read_text().partition("--quizprep -v\n")[2]
    for line in documented.partition("```")[0].splitlines():
        assert line in out
    assert "bob/softmax.py::load PASSED" in out
    assert "bob/softmax.py::correctness[float32] FAILED" in out
    assert "bob/softmax.py::cost[flops] SKIPPED" in out
    assert "softmax: not passed" in out and "Seed 7" in out
    assert "Traceback" not in out and "quizprep/pytest_plugin.py" not in out


def test_a_named_file_is_graded_and_never_imported(pytester: pytest.Pytester) -> None:
    """A file on the command line that ends its process harms nobody; each part says what it did."""
    pytester.makepyfile(softmax=IMPORTED + RIGHT)
    done = pytester.runpytest_subprocess("--quizprep", "softmax.py", "-p", "no:xdist")
    outcomes = done.parseoutcomes()
    assert outcomes["failed"] == 2 and outcomes["skipped"] > 2  # load and verdict
    done.stdout.fnmatch_lines(["*SystemExit: imported by pytest itself"])


def test_it_works_with_xdist(pytester: pytest.Pytester) -> None:
    """Two workers collect the same items and use one seed."""
    for name in ("ada", "bob"):
        (pytester.path / name).mkdir()
        (pytester.path / name / "softmax.py").write_text(WRONG)
    done = pytester.runpytest_subprocess("--quizprep", "-n", "2", "--dist", "loadfile", "-v")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    reports = [line for line in done.stdout.lines if line.startswith("Seed ")]
    # Where CI is set, pytest's summary repeats them.
    assert len(reports) >= 2 and len(set(reports)) == 1


def test_own_exercises_and_their_errors(pytester: pytest.Pytester) -> None:
    """The ini file names a folder; one without exercises is an error of usage."""
    pytester.makeini("[pytest]\nquizprep_exercises = mine\n")
    done = pytester.runpytest_subprocess("--quizprep")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*there are no exercises in mine"])
