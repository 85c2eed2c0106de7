"""What becomes of a nursery that fails: one sentence, no hanging, and the next one is fresh."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.errors import MissingExtraError, UsageError
from quizprep.grading import pool as pools
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import GraderFault, Nursery, Pool

Impostor = Callable[[str], Nursery]
SOFTMAX = Library(shipped_root()).exercise("softmax")
SOLUTION = Submission("softmax.py", SOFTMAX.solution.read_bytes())

BEGIN = f"""#!{sys.executable}
import os, sys, time
from quizprep.grading import wire

"""


@pytest.fixture
def impostor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Impostor:
    """A nursery whose process runs other code than ours."""

    def start(code: str) -> Nursery:
        program = tmp_path / "program"
        program.write_text(BEGIN + code)
        program.chmod(0o700)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, sys.path)))
        monkeypatch.setattr(pools.sys, "executable", str(program))
        monkeypatch.setattr(pools, "EXIT_TIMEOUT", 0.0)
        return Nursery("numpy")

    return start


def test_a_runtime_that_is_not_installed_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its library a runtime starts no process, and the message says what to install."""
    monkeypatch.setattr(pools, "find_spec", lambda name: None if name == "triton" else name)
    monkeypatch.setattr(pools.subprocess, "Popen", None)
    with pytest.raises(MissingExtraError, match="Grading triton exercises"):
        Nursery("triton")


@pytest.mark.parametrize("library", ["numpy", "torch", "safetensors"])
def test_a_library_that_cannot_be_imported_is_missing(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is there and does not import is reported like one that is not, by whatever is
    asked first."""
    (tmp_path / f"{library}.py").write_text("raise ImportError('broken')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    with Pool() as pool, pytest.raises(MissingExtraError):
        pool.nursery("torch").describe(str(SOFTMAX.folder))


def test_a_gpu_that_is_not_there_is_said() -> None:
    """--device cuda on a machine without one is a mistake of the user's, with what to do."""
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with Pool(device="cuda") as pool, pytest.raises(UsageError, match="no GPU") as error:
        Grader(pool).grade(SOFTMAX, SOLUTION, seed=1)
    assert "--device" in str(error.value.hint)


def test_a_fault_before_the_first_request_is_told(impostor: Impostor) -> None:
    """A nursery that says why and leaves, before anything could be sent, has said it."""
    nursery = impostor("os.close(0); wire.send(1, wire.Fault(message='no room')); time.sleep(60)")
    _until_closed(nursery)
    with pytest.raises(GraderFault, match=r"^no room$"):
        nursery.describe("anywhere")
    nursery.close()


def test_what_a_dying_nursery_wrote_is_in_the_fault(impostor: Impostor) -> None:
    """The end of its standard error is the reason that a bug report needs."""
    nursery = impostor("sys.exit('out of ideas')")
    _until_closed(nursery)
    with pytest.raises(GraderFault, match="the grading process ended: out of ideas"):
        nursery.describe("anywhere")


def test_an_answer_before_the_question_does_not_hide_a_death(impostor: Impostor) -> None:
    """Whatever came out of a nursery that takes no request, what it died of is told."""
    nursery = impostor(
        "os.close(0); wire.send(1, wire.Described(switches={}, concepts={})); sys.exit('gone')"
    )
    _until_closed(nursery)
    with pytest.raises(GraderFault, match="the grading process ended"):
        nursery.describe("anywhere")


def test_an_answer_that_is_none_ends_the_nursery(impostor: Impostor) -> None:
    """Whoever writes nonsense and stays is killed: nobody waits for the rest of it."""
    nursery = impostor("os.write(1, bytes(range(1, 99))); time.sleep(600)")
    with pytest.raises(GraderFault, match="the grading process ended"):
        nursery.describe("anywhere")
    assert nursery._process.returncode == -signal.SIGKILL


def test_an_answer_to_something_else_is_a_fault(impostor: Impostor) -> None:
    """What answers a description answers no grading."""
    answer = "wire.send(1, wire.Described(switches={}, concepts={})); sys.stdin.buffer.read()"
    nursery = impostor(answer)
    grader = Grader(Pool())
    with pytest.raises(GraderFault, match="unexpected answer Described"):
        nursery.grade(grader._setup(SOFTMAX, SOLUTION), grader._job(SOFTMAX, SOLUTION, 1))
    nursery.close()


def test_one_that_does_not_leave_is_killed(impostor: Impostor) -> None:
    """Closing never waits for ever."""
    nursery = impostor("time.sleep(600)")
    nursery.close()
    assert nursery._process.returncode == -signal.SIGKILL


def test_a_grading_after_a_death_has_a_fresh_nursery() -> None:
    """A nursery that is killed costs one verdict of status error; the next one is judged."""
    with Pool() as pool:
        grader, told = Grader(pool), []
        os.kill(pool.nursery(SOFTMAX.spec.runtime)._process.pid, signal.SIGKILL)
        verdict = grader.grade(SOFTMAX, SOLUTION, seed=1)
        assert not verdict.passed
        assert [stage.status for stage in verdict.stages] == ["error", "skip", "skip", "skip"]
        assert "the grading process ended" in verdict.stage("load").message
        assert grader.grade(SOFTMAX, SOLUTION, seed=1, progress=told.append).passed
    assert {step.stage for step in told} == {"load", "correctness", "cost"}


def _until_closed(nursery: Nursery) -> None:
    """Wait until its end of the requests' pipe is gone."""
    assert nursery._process.stdin is not None
    poll = select.poll()
    poll.register(nursery._process.stdin.fileno(), 0)
    assert poll.poll(60_000)
