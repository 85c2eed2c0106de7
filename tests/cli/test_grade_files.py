"""``quizprep grade`` with whatever file one names: a clear line, an exit code, no traceback."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import torch

from quizprep.content.library import Library, shipped_root
from tests.cli.program import run

SOLUTION = Library(shipped_root()).exercise("causal_mask").solution


def grade(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = run(folder, "grade", *arguments, NO_COLOR="1")
    assert "\x1b" not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("causal_mask", "missing.py"), "no file missing.py"),
        (("causal_mask",), "no file causal_mask.py"),
        (("causal_mask", "."), "is a folder"),
        (("causal_mast", "x.py"), "causal_mask"),
        (("causal_mask", "pipe"), "pipe"),
        (("causal_mask", "large.py"), "larger than"),
        (("causal_mask", "x.py", "--seed", "-1"), "--seed"),
    ],
)
def test_what_cannot_be_graded_is_a_usage_error(
    arguments: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    """Without a file to grade, nothing is started, one line says why, and the exit code is 2."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.py").write_bytes(b"#" * (2 << 20))
    done = grade(tmp_path, *arguments)
    assert done.returncode == 2
    assert says in done.stderr


CONTENTS = {
    "empty": (b"", "no causal_attention"),
    # Python 3.11.3 and older call this a ValueError.
    "binary": (bytes(range(256)) * 8, ("SyntaxError", "null bytes")),
    "not UTF-8": (b"causal_attention = '\xff\xfe'\n", "SyntaxError"),
    "null byte": (b"import torch\x00\n\ndef causal_attention(q, k, v):\n    return q\n", "null"),
    "UTF-16": ("import torch\n".encode("utf-16"), ("SyntaxError", "null bytes")),
    "unknown encoding": (b"# -*- coding: klingon -*-\n", "SyntaxError"),
    "deep nesting": (b"causal_attention = " + b"(" * 500 + b")" * 500, "SyntaxError"),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_file_that_is_no_python_is_not_passed(kind: str, tmp_path: Path) -> None:
    """Whatever bytes a file holds, the stage load says what is wrong and the exit code is 1."""
    content, says = CONTENTS[kind]
    words = (says,) if isinstance(says, str) else says
    (tmp_path / "x.py").write_bytes(content)
    done = grade(tmp_path, "causal_mask", "x.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(word in " ".join(done.stdout.split()) for word in words)


def test_exit_codes_of_a_grading(tmp_path: Path) -> None:
    """0 for the solution, whatever its file is called, and 1 for a wrong one."""
    (tmp_path / "my answer.txt").write_bytes(SOLUTION.read_bytes())
    assert grade(tmp_path, "causal-mask", "my answer.txt").returncode == 0
    (tmp_path / "causal_mask.py").write_text("def causal_attention(q, k, v):\n    return q\n")
    assert grade(tmp_path, "causal_mask").returncode == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize(
    ("exercise", "says"), [("causal_mask", "no GPU here"), ("softmax", "written in numpy")]
)
def test_a_gpu_that_is_not_there_is_one_clear_line(
    exercise: str, says: str, tmp_path: Path
) -> None:
    """--device cuda without a GPU is refused, with what to do; exit code 2, no traceback."""
    (tmp_path / "x.py").write_bytes(SOLUTION.read_bytes())
    done = grade(tmp_path, exercise, "x.py", "--device", "cuda")
    assert done.returncode == 2
    assert says in done.stderr


WARNS = b"""import warnings
def causal_attention(q, k, v):
    warnings.warn("odd")
    return q + 1
"""


def test_a_failing_case_is_taken_home(tmp_path: Path) -> None:
    """--save-case writes a program, and never over a file of somebody else's."""
    (tmp_path / "x.py").write_bytes(WARNS)
    done = grade(tmp_path, "causal_mask", "x.py", "--save-case", "case.py")
    assert done.returncode == 1
    assert "written: case.py" in done.stdout
    assert "x.py:3: UserWarning: odd" in done.stdout.replace("\n", " ")
    assert "/code/" not in done.stdout
    assert (tmp_path / "case.py").read_text("utf-8").startswith('"""A failing case of causal_mask')
    again = grade(tmp_path, "causal_mask", "x.py", "--save-case", "case.py", "--json")
    assert again.stdout.startswith("{") and again.returncode == 1
    kept = grade(tmp_path, "causal_mask", "x.py", "--save-case", "x.py")
    assert (tmp_path / "x.py").read_bytes() == WARNS
    assert "was not written by --save-case" in kept.stderr
    right = grade(tmp_path, "causal_mask", str(SOLUTION), "--save-case", "none.py")
    assert "No case is written" in right.stdout and not (tmp_path / "none.py").exists()
