"""What a grading says of scripts of calls, of gradients, of faults of ours, and unconfined."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprep.authoring.exercise_proof import faulty_source
from quizprep.authoring.scaffold import new_exercise
from quizprep.content.library import Exercise, Library, shipped_root
from quizprep.grading import report, wire
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool
from quizprep.grading.verdict import Verdict
from quizprep.meter import Meter

LIBRARY = Library(shipped_root())
SEED = 3


def grade(pool: Pool, exercise: Exercise, source: str | bytes) -> Verdict:
    code = source.encode() if isinstance(source, str) else source
    return Grader(pool).grade(exercise, Submission(f"{exercise.id}.py", code), seed=SEED)


def edited(exercise: Exercise, *changes: tuple[str, str]) -> str:
    """The solution with these replacements."""
    source = exercise.solution.read_text("utf-8")
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    return source


def first_message(verdict: Verdict) -> str:
    return next(case.message for case in verdict.stage("correctness").cases if case.message)


# --- scripts of calls and gradients ---


@pytest.mark.parametrize(
    "name", ["kv_cache", "int8_kv_cache", "paged_kv_cache", "online_softmax", "padding_mask"]
)
def test_solutions_of_every_kind_pass(name: str, pool: Pool) -> None:
    """A class, one that may lose digits, one that raises, arguments that are objects, gradients:
    the solution passes, and its cost is what is kept of it."""
    exercise = LIBRARY.exercise(name)
    verdict = grade(pool, exercise, edited(exercise))
    assert verdict.passed, [stage for stage in verdict.stages if stage.status != "pass"]
    found = {str(r.meter): r.formula for r in verdict.stage("cost").readings if r.formula}
    assert found.items() <= exercise.measured.items()


@pytest.mark.parametrize(
    ("name", "switch"),
    [
        ("kv_cache", "no_causal_in_chunk"),
        ("int8_kv_cache", "scale_not_applied:keys"),
        ("padding_mask", "nan_gradient"),
        ("padding_mask", "mask_after_softmax"),
    ],
)
def test_mistakes_in_scripts_and_gradients_are_named(name: str, switch: str, pool: Pool) -> None:
    """A mistake is named as itself, also where only the gradient shows it."""
    exercise = LIBRARY.exercise(name)
    verdict = grade(pool, exercise, faulty_source(exercise, (switch,)))
    assert [mistake.id for mistake in verdict.mistakes] == [switch.partition(":")[0]]


ATTEND = "        scores = (q * q.shape[-1] ** -0.5) @ keys"
RETURN = "        return torch.softmax(scores, dim=-1) @ values"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            ATTEND,
            f"        raise ValueError('no')\n{ATTEND}",
            "Your code raised ValueError: no (in",
        ),
        (ATTEND, f"        raise SystemExit(3)\n{ATTEND}", "code raised SystemExit: 3 (in"),
        (
            ATTEND,
            f"        import os; os._exit(3)\n{ATTEND}",
            "ended its own process with status 3",
        ),
        (ATTEND, f"        q *= 2\n{ATTEND}", "Your code changed its input q"),
        (RETURN, "        return [values, values]", "returns another number of values"),
        (RETURN, "        return self", "o should be a tensor; your code returned object."),
        (RETURN, "        return 'o'", "o should be a tensor; your code returned str."),
        (RETURN, "        return values[0]", "the shape is"),
        (
            "class KVCache:",
            "def KVCache(*_):\n    return 5\nclass Other:",
            "cannot be used further",
        ),
    ],
)
def test_what_a_script_stumbles_over_is_said(old: str, new: str, says: str, pool: Pool) -> None:
    """Every way in which a call of a script can go wrong has its sentence, and nothing of ours
    stands in it."""
    exercise = LIBRARY.exercise("kv_cache")
    verdict = grade(pool, exercise, edited(exercise, (old, new)))
    assert verdict.stage("correctness").status == "fail"
    assert says in first_message(verdict)


def test_outputs_of_one_name_are_told_by_their_number(pool: Pool) -> None:
    """Where a script yields several outputs of one name, the wrong one is told by its place."""
    exercise = LIBRARY.exercise("kv_cache")
    counted = "        self.asked = getattr(self, 'asked', 0) + 1\n"
    wrong = f"{counted}        if self.asked == 2:\n            return q * 0\n{ATTEND}"
    verdict = grade(pool, exercise, edited(exercise, (ATTEND, wrong)))
    messages = [case.message for case in verdict.stage("correctness").cases if case.message]
    assert messages
    assert all(message.startswith("o (number 2) is wrong") for message in messages)


def test_a_script_that_is_wrong_only_under_the_meters_fails(pool: Pool) -> None:
    """Who notices the meters and does less under them is found out by the outputs."""
    exercise = LIBRARY.exercise("kv_cache")
    lazy = f"        if torch._C._len_torch_dispatch_stack():\n            return q * 0\n{ATTEND}"
    verdict = grade(pool, exercise, edited(exercise, (ATTEND, lazy)))
    assert verdict.stage("correctness").status == "pass"
    cost = verdict.stage("cost")
    assert cost.status == "fail"
    assert cost.message.startswith("While its cost was measured (b=")


def test_an_error_at_the_largest_size_only_is_told(pool: Pool) -> None:
    """The call that is watched from outside is larger than all before; what it raises is said."""
    exercise = LIBRARY.exercise("padding_mask")
    line = "    m, d = k.shape[-2:]\n"
    late = f"{line}    if m > 512:\n        raise MemoryError\n"
    verdict = grade(pool, exercise, edited(exercise, (line, late)))
    assert verdict.stage("cost").status == "fail"
    assert "your code raised MemoryError" in verdict.stage("cost").message


def test_temporaries_are_seen_on_a_grid_of_two_points(tmp_path: Path, pool: Pool) -> None:
    """What an operation allocates inside itself counts, however few points a contract has."""
    for name, text in new_exercise("my_task", "torch").items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("rows: [64, 128, 192, 256]", "rows: [64]"), "utf-8")
    exercise = Library(tmp_path).exercise("my_task")
    config = exercise.folder / "exercise.yaml"
    config.write_text(config.read_text().replace("cols: [64, 128, 192, 256]", "cols: [64, 128]"))
    exercise = Library(tmp_path).exercise("my_task")
    line = "    return 2 *"
    peaks = [
        reading.largest
        for source in (edited(exercise), edited(exercise, (line, f"    x.kthvalue(1, 0)\n{line}")))
        for reading in grade(pool, exercise, source).stage("cost").readings
        if reading.meter == Meter("peak_bytes")
    ]
    assert peaks[1] >= peaks[0] + 64 * 128 * 4


def test_an_exception_inside_a_kernel_shows_the_lines_of_the_kernel(pool: Pool) -> None:
    """What was raised, and not that the interpreter failed; the launch, the kernel and the
    function that the kernel called."""
    pytest.importorskip("triton")
    exercise = LIBRARY.exercise("triton_flash_backward")
    source = edited(exercise, ("visible = (lse[:, None]", "visible = (lse[:, None, 0]"))
    lines = source.splitlines()
    case = grade(pool, exercise, source).stage("correctness").cases[0]
    assert case.raised is not None
    assert case.raised.kind != "InterpreterError"
    assert [frame.function for frame in case.raised.frames] == [
        "flash_attention_backward",
        "grad_keys",
        "tile_gradients",
    ]
    for frame in case.raised.frames:
        assert lines[frame.line - 1].strip().startswith(frame.text.splitlines()[0])
    assert "lse[:, None, 0]" in case.raised.frames[-1].text


TUNED = """
import torch
import triton
import triton.language as tl


def fits(configs, named, **_):
    return [c for c in configs if c.kwargs["BLOCK"] >= named["cols"]]


@triton.autotune(
    [triton.Config({"BLOCK": size}) for size in (16, 1024, 2048)],
    key=["cols"],
    prune_configs_by={"early_config_prune": fits},
)
@triton.jit
def row(x, y, cols, x_row, x_col, y_row, y_col, BLOCK: tl.constexpr):
    at, lane = tl.program_id(0), tl.arange(0, BLOCK)
    scores = tl.load(x + at * x_row + lane * x_col, mask=lane < cols, other=-float("inf"))
    up = tl.exp(scores.to(tl.float32) - tl.max(scores.to(tl.float32), axis=0))
    tl.store(y + at * y_row + lane * y_col, up / tl.sum(up, axis=0), mask=lane < cols)


def softmax(x):
    FIRST
    y = torch.empty(x.shape, dtype=x.dtype)
    row[(x.shape[0],)](x, y, x.shape[1], *x.stride(), *y.stride())
    return y
"""


def test_a_tuned_kernel_runs_with_its_first_configuration_that_fits(pool: Pool) -> None:
    """There is no GPU to time them on."""
    pytest.importorskip("triton")
    exercise = LIBRARY.exercise("triton_softmax")
    assert grade(pool, exercise, TUNED.replace("FIRST", "pass")).passed


@pytest.mark.parametrize(
    "asking", ["triton.runtime.driver.active.get_current_device()", "x = x.to('cuda')"]
)
def test_what_asks_for_a_gpu_is_told_that_there_is_none(asking: str, pool: Pool) -> None:
    """In words of ours, behind what was raised."""
    pytest.importorskip("triton")
    verdict = grade(pool, LIBRARY.exercise("triton_softmax"), TUNED.replace("FIRST", asking))
    assert report.NO_GPU in [line.text for line in report.lines(verdict)]


ENDS = """
import os
import numpy as np

seen = []

def softmax(x, axis=-1):
    if any(np.array_equal(x, other) for other in seen):
        os._exit(7)
    seen.append(x.copy())
    top = np.where(np.isneginf(top := x.max(axis, keepdims=True)), 0, top)
    up = np.exp(x - top)
    total = up.sum(axis, keepdims=True)
    return up / np.where(total == 0, 1, total) {more}
"""


def test_who_ends_in_a_second_call_is_told_what_was_wrong_in_the_first(pool: Pool) -> None:
    """The end is the fault of the case whose second call it was, unless more is known of its
    first call: then it is that of the case behind it. Calls that were sent ahead change nothing."""
    ends = []
    for more, status in (("", "pass"), ("* 2", "fail")):
        verdict = grade(pool, LIBRARY.exercise("softmax"), ENDS.format(more=more))
        cases = verdict.stage("correctness").cases
        (end,) = (n for n, case in enumerate(cases) if "ended its own process" in case.message)
        assert {case.status for case in cases[:end]} == {status}
        assert {case.status for case in cases[end + 1 :]} == {"skip"}
        ends.append(end)
    assert ends[1] == ends[0] + 1


def test_a_brief_grading_ends_at_the_first_failure(pool: Pool) -> None:
    """Who only asks whether it passes is told one failed case, and no name."""
    exercise = LIBRARY.exercise("padding_mask")
    source = faulty_source(exercise, ("no_scale",))
    verdict = Grader(pool, brief=True).grade(exercise, Submission("x.py", source), seed=SEED)
    cases = verdict.stage("correctness").cases
    assert [case.status for case in cases].count("fail") == 1
    assert cases[-1].status == "fail"
    assert verdict.mistakes == ()


# --- the order of cases ---


@settings(max_examples=8)
@given(st.sampled_from(["no_max_subtraction", "wrong_axis", ""]), st.randoms())
def test_a_grading_is_symmetric_in_its_cases(pool: Pool, switch: str, dice: Any) -> None:
    """The judge, asked the same cases in another order, says the same of each one and names the
    same mistakes."""
    exercise = LIBRARY.exercise("softmax")
    source = faulty_source(exercise, (switch,)) if switch else exercise.solution.read_bytes()
    grader = Grader(pool)
    setup = grader._setup(exercise, Submission("softmax.py", source))
    job = msgspec.structs.replace(
        grader._job(exercise, Submission("x.py", b""), SEED), witness=None
    )
    groups: list[list[wire.Case]] = []
    for case in job.cases:
        if case.again:  # the same sizes once more: it belongs behind its first case
            groups[-1].append(case)
        else:
            groups.append([case])
    dice.shuffle(groups)
    shuffled = [case for group in groups for case in group]
    nursery = pool.nursery(exercise.spec.runtime)
    results = [
        nursery.grade(setup, msgspec.structs.replace(job, cases=tuple(cases)))
        for cases in (job.cases, shuffled)
    ]
    one, other = (sorted(map(repr, v.stage("correctness").cases)) for v in results)
    assert one == other
    named = [[mistake.id for mistake in verdict.mistakes] for verdict in results]
    assert named == [[switch] if switch else []] * 2


# --- faults of ours ---


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[str], Exercise]:
    """The softmax exercise with its reference's code put behind other code."""

    def make(code: str) -> Exercise:
        for part in ("exercises/softmax", "solutions"):
            shutil.copytree(shipped_root() / part, tmp_path / part)
        reference = tmp_path / "exercises" / "softmax" / "reference.py"
        begin = "from __future__ import annotations\n"
        source = reference.read_text("utf-8")
        assert begin in source
        reference.write_text(source.replace(begin, f"{begin}{code}\n"), "utf-8")
        return Library(tmp_path).exercise("softmax")

    return make


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise RuntimeError('the reference is broken')", "the reference is broken"),
        ("import os; os._exit(0)", "the judge ended without a verdict"),
        ("import os, signal; os.kill(os.getpid(), 9)", "the judge ended without a verdict"),
    ],
)
def test_a_fault_of_the_judge_is_no_failure_of_the_learner(
    code: str, says: str, broken: Callable[[str], Exercise], pool: Pool
) -> None:
    """It is a stage with status error, with what a bug report needs; the next grading is sound."""
    exercise = broken(code)
    verdict = grade(pool, exercise, exercise.solution.read_bytes())
    assert [stage.status for stage in verdict.stages] == ["error", "skip", "skip", "skip"]
    assert says in verdict.stage("load").message
    sound = LIBRARY.exercise("softmax")
    assert grade(pool, sound, sound.solution.read_bytes()).passed


def test_a_file_that_cannot_be_written_is_a_fault(pool: Pool) -> None:
    """What fails in the nursery itself comes back as its traceback, and the nursery goes on."""
    exercise = LIBRARY.exercise("softmax")
    nowhere = Submission("no/such/folder.py", b"")
    verdict = Grader(pool).grade(exercise, nowhere, seed=SEED)
    assert verdict.stage("load").status == "error"
    assert "FileNotFoundError" in verdict.stage("load").message


# --- unconfined ---


def test_a_trusted_grading_says_that_it_was_not_confined() -> None:
    """Without the walls a solution passes as it does with them, and the verdict says they were
    off."""
    exercise = LIBRARY.exercise("softmax")
    with Pool() as pool:
        solution = Submission("softmax.py", exercise.solution.read_bytes())
        verdict = Grader(pool, confine=False).grade(exercise, solution, seed=SEED)
    assert verdict.passed
    assert (verdict.confined, verdict.unconfined) == (False, ("everything (switched off)",))


def test_a_kill_from_outside_is_told_as_one() -> None:
    """SIGKILL is what a system without memory sends, and the sentence asks that."""
    exercise = LIBRARY.exercise("softmax")
    killed = edited(exercise, ("import numpy as np", "import os\nos.kill(os.getpid(), 9)"))
    with Pool() as pool:
        grader = Grader(pool, confine=False)
        verdict = grader.grade(exercise, Submission("killed.py", killed.encode()), seed=SEED)
    assert verdict.stage("load").status == "fail"
    assert "was killed (out of memory?)" in verdict.stage("load").message
