"""The wheel carries its content: it works in an empty folder, away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from quizprep.cli import program
from quizprep.errors import MissingExtraError

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds nothing but the unpacked wheel."""
    wheels = tmp_path_factory.mktemp("wheels")
    target = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*install, "--target", str(target), str(wheel)], check=True)
    return target


@pytest.fixture
def quizprep(installed: Path, tmp_path: Path) -> Run:
    """Run the installed program in an empty folder."""
    folder = tmp_path / "empty"
    folder.mkdir()

    def run(*arguments: str, replies: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "quizprep", *arguments],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(installed),
                "QUIZPREP_HOME": str(tmp_path / "home"),
            },
            input=replies,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_content_is_inside(installed: Path) -> None:
    """Banks, exercises and solutions lie in the package, and nothing lies beside it."""
    content = installed / "quizprep" / "_content"
    assert (content / "questions" / "scaling.yaml").is_file()
    assert (content / "exercises" / "causal_mask" / "README.md").is_file()
    assert (content / "solutions" / "causal_mask.py").is_file()
    assert not (installed / "questions").exists()


def test_questions_and_sheets_work(quizprep: Run) -> None:
    """A round and a sheet come from the content in the wheel."""
    assert quizprep("ask", "scaling", "-n", "1", replies="s\n").returncode == 0
    sheet = quizprep("sheet", "scaling", "--format", "md", "--output", "-")
    assert sheet.returncode == 0
    assert "sqrt" in sheet.stdout


def test_new_content_can_be_begun(quizprep: Run) -> None:
    """The texts that questions and exercises begin as are in the wheel."""
    assert "Added the question" in quizprep("new", "question", "demo").stdout
    assert "It works as it stands" in quizprep("new", "exercise", "my_task").stdout


def test_the_very_first_start_reads_no_yaml(installed: Path, tmp_path: Path) -> None:
    """Every bank was decoded by the build, and nothing is cached a second time."""
    decoded = installed / "quizprep" / "_decoded"
    banks = {path.stem for path in (installed / "quizprep/_content/questions").glob("*.yaml")}
    assert {f"questions-{bank}" for bank in banks} <= {path.stem for path in decoded.iterdir()}
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-m", "quizprep", "ask", "-n", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "QUIZPREP_HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert {"sqlite3", "msgspec"} <= imported
    assert "yaml" not in imported
    assert not (tmp_path / "home" / "cache").exists()


def test_an_exercise_can_be_started_and_graded(quizprep: Run) -> None:
    """The starter is copied, fails when graded, and no answer in the wheel is readable."""
    assert quizprep("start", "softmax").returncode == 0
    graded = quizprep("grade", "softmax")
    assert graded.returncode == 1
    assert "NotImplementedError" in graded.stdout
    assert graded.stderr == ""


def test_without_numpy_checking_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain install calls no content invalid that it cannot run."""
    monkeypatch.setattr("quizprep.cli.check.find_spec", lambda name: None)
    done = CliRunner().invoke(program, ["check"])
    assert isinstance(done.exception, MissingExtraError)
    assert "quizprep[grade]" in (done.exception.hint or "")
