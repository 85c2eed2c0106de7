"""What a learner's process may not do, tried from inside one; what is said without the walls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool
from tests.cli.program import run

HERE = Path(__file__).parent
TASK = Library(shipped_root()).exercise("causal_mask")

# Everything is refused with EPERM by the filter of system calls, but for these.
OTHERWISE = {
    # Landlock's answer, or the file system's.
    **dict.fromkeys(
        ("read_parent_memory", "read_environment", "reset_own_peak", "read_outside"), "EACCES"
    ),
    **dict.fromkeys(
        ("list_outside", "write_outside", "write_beside", "make_folder_outside"), "EACCES"
    ),
    "large_file": "EFBIG",
    # Calls that are not listed at all do not exist; libraries fall back from that.
    **dict.fromkeys(("clone3", "signal_owner", "choose_signal", "change_flags"), "ENOSYS"),
    **dict.fromkeys(("lease_file", "reseal_arena", "page_out", "raise_limit"), "ENOSYS"),
    **dict.fromkeys(("lift_limit_of_parent", "type_into_terminal"), "ENOSYS"),
}


def attempts(pool: Pool) -> dict[str, str]:
    """By attempt, how it was refused."""
    submission = Submission("attempts.py", (HERE / "attempts.py").read_bytes())
    verdict = Grader(pool).grade(TASK, submission, seed=1)
    if verdict.unconfined:
        pytest.skip(f"not confined here: {'; '.join(verdict.unconfined)} is missing")
    assert verdict.stage("load").status == "pass", verdict.stage("load")
    return dict(line.split() for line in verdict.printed.splitlines())


def test_every_attempt_is_refused(pool: Pool) -> None:
    """Network, processes, signals, files, metadata, hidden memory, rights: all refused, and the
    process goes on."""
    found = attempts(pool)
    source = (HERE / "attempts.py").read_text("utf-8")
    assert len(found) == source.count("\n@attempt\n") > 60
    assert found == {name: OTHERWISE.get(name, "EPERM") for name in found}
    assert not Path("/tmp/quizprep-outside").exists()


def test_nothing_is_left_behind(pool: Pool) -> None:
    """A submission's folder is gone after its grading."""
    source = b"import os\nprint(os.getcwd())\ndef causal_attention(q, k, v):\n    return q\n"
    grader, submission = Grader(pool), Submission("where.py", source)
    first, _ = (grader.grade(TASK, submission, seed=1).printed.strip() for _ in range(2))
    # The nursery tidies up after it has answered, but before it takes the next job.
    assert first.startswith("/") and not Path(first).exists()


BROKEN = {
    "Landlock": "py_landlock.py",
    "seccomp": "pyseccomp.py",
}


def grade(folder: Path, *options: str, without: str = "") -> subprocess.CompletedProcess[str]:
    """Grade the solution; `without` names a wall whose library cannot be imported."""
    if without:
        (folder / BROKEN[without]).write_text("raise ImportError('simulated')\n")
    path = os.pathsep.join([str(folder), *sys.path])
    return run(folder, "grade", "causal_mask", str(TASK.solution), *options, PYTHONPATH=path)


@pytest.mark.parametrize("part", BROKEN)
def test_missing_wall_is_reported(part: str, tmp_path: Path) -> None:
    """A grading without one of the walls passes, and names what is missing."""
    done = grade(tmp_path, without=part)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("Not confined by")]
    assert part in line


@pytest.mark.parametrize("part", BROKEN)
def test_required_confinement_refuses(part: str, tmp_path: Path) -> None:
    """With --require-confinement nothing is run then: one line says so, and the exit code is 1."""
    done = grade(tmp_path, "--require-confinement", without=part)
    assert done.returncode == 1
    said = [line for line in done.stdout.splitlines() if "cannot be confined" in line]
    assert len(said) == 1 and part in said[0]


def test_required_confinement_runs_where_it_is_whole(tmp_path: Path) -> None:
    """The same option changes nothing where both walls stand."""
    done = grade(tmp_path, "--require-confinement")
    if "cannot be confined" in done.stdout:
        pytest.skip("not confined here")
    assert done.returncode == 0, done.stdout


def test_content_of_an_installed_copy_is_hidden(tmp_path: Path) -> None:
    """A wheel beside the source tree brings its answers; no learner may read them there."""
    from quizprep.worker.learner.confinement import installed_content

    for packages in ("lib/python3.11/site-packages", "lib/python3/dist-packages"):
        (tmp_path / packages / "quizprep" / "_content").mkdir(parents=True)
        (tmp_path / packages / "torch").mkdir()
    found = installed_content((str(tmp_path),))
    assert len(found) == 2 and all(path.endswith("quizprep/_content") for path in found)
    assert installed_content((str(tmp_path / "lib"),)) == []
