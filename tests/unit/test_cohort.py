"""What a group's results say: points, who is stuck, what is hard, what solutions cost."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from quizprep.cohort import local
from quizprep.cohort.credit import ALL_OR_NOTHING, Credit, load_credit
from quizprep.cohort.formats import rows, to_csv, write_parquet
from quizprep.cohort.grading import Run, Settings, grade, plan, verdicts
from quizprep.cohort.local import Outcome
from quizprep.cohort.pages import group_page, page_name, student_page
from quizprep.cohort.results import Key, Results
from quizprep.cohort.standing import Standing, standing
from quizprep.cohort.submissions import Unreadable, read, scan
from quizprep.content.library import Library
from quizprep.errors import MissingExtraError, QuizprepError
from quizprep.grading.verdict import NamedMistake, Reading, Stage, Verdict
from quizprep.meter import Meter
from quizprep.quiz import times
from tests.cli.test_grade_interrupt import ENDLESS, children
from tests.cohort import RIGHT, hand_in

MISTAKE = NamedMistake(id="no_scale", says="The scale is missing.", concept="scaling")
READING = Reading(meter=Meter("flops"), status="pass", formula="4*b*n", growth="b*n", required="n")


def verdict(load: str, correctness: str = "skip", cost: str = "skip") -> Verdict:
    """A verdict with these stages; a failing correctness has the mistake."""
    mistakes = (MISTAKE,) if correctness == "fail" else ()
    readings = (READING,) if cost == "pass" else ()
    stages = (
        Stage(name="load", status=load),
        Stage(name="correctness", status=correctness),
        Stage(name="diagnosis", status="pass" if mistakes else "skip", mistakes=mistakes),
        Stage(name="cost", status=cost, readings=readings),
    )
    return Verdict.of("causal_mask", 1, stages)


PASSED = verdict("pass", "pass", "pass")
COSTLY = verdict("pass", "pass", "fail")
WRONG = verdict("pass", "fail")
BROKEN = verdict("fail")
FAULT = verdict("error")


def group(**verdicts: Verdict | None) -> Standing:
    """The standing of students in one exercise; a name's last letter says how many versions."""
    found = {(student, "causal_mask"): each for student, each in verdicts.items()}
    versions = {place: int(place[0][-1]) for place in found}
    return standing(found, versions, ALL_OR_NOTHING, "1.0", str.title)


def test_points_by_stages() -> None:
    """Each stage that passes gives its share, a named mistake its own, and never more than all."""
    credit = Credit(
        format=1,
        points=10,
        exercises={"kv_cache": 20},
        stages={"load": 1, "correctness": 6, "cost": 3},
        mistake_named=2,
    )
    points = [credit.points_of("x", each) for each in (PASSED, COSTLY, WRONG, BROKEN, FAULT, None)]
    assert points == [10, 7, 3, 0, 0, 0]
    assert credit.points_of("kv_cache", COSTLY) == 14
    assert [ALL_OR_NOTHING.points_of("x", each) for each in (PASSED, COSTLY)] == [1, 0]


def test_the_documented_rule_is_valid(tmp_path: Path) -> None:
    """The example in the docs loads, and says what it should."""
    page = (Path(__file__).parents[2] / "docs" / "courses.md").read_text(encoding="utf-8")
    rule = tmp_path / "credit.yaml"
    rule.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    assert load_credit(rule, ("kv_cache",)).maximum("kv_cache") == 20


def test_who_is_stuck_and_what_is_hard() -> None:
    """Stuck: three versions and none passes. Hard: five handed in, fewer than half passed."""
    found = group(a1=PASSED, b2=WRONG, c3=WRONG, d4=PASSED, e3=BROKEN)
    assert [student.name for student in found.students if student.stuck] == ["c3", "e3"]
    (exercise,) = found.exercises
    assert exercise.hard and exercise.passed == 2
    assert exercise.stages == {"load": 1, "correctness": 2}
    assert exercise.mistakes == [(MISTAKE, 2)]
    assert exercise.costs == {"flops": [("4*b*n", 2)]}
    assert not group(a1=PASSED, b1=WRONG, c1=WRONG, d1=WRONG).exercises[0].hard


def test_pages_show_the_group_and_hide_it_from_students() -> None:
    """The group's page says what is got wrong; a student's page names nobody else."""
    found = group(ada1=PASSED, bob3=WRONG, cyd1=None)
    page = group_page(found)
    for text in ("<strong>1 of 3</strong>", "no_scale", "bob3", "not graded", "4*b*n"):
        assert text in page
    for student in found.students:
        own = student_page(student, found)
        assert student.name in own
        assert not any(other.name in own for other in found.students if other is not student)
    assert page_name("../../a b") != page_name("../a b") and "/" not in page_name("../../a b")


def test_missing_confinement_is_never_silent() -> None:
    """A grading that ran with more rights than it should says so in the table and on the page."""
    loose = replace(PASSED, unconfined=("seccomp (not installed)",))
    found = group(ada1=PASSED, bob1=loose)
    assert found.unconfined == {"seccomp (not installed)": 1}
    assert [row["confined"] for row in rows(found)] == ["yes", "no"]
    assert "Not confined by seccomp (not installed) in 1 grading" in group_page(found)


def test_cells_are_no_formulas() -> None:
    """Whatever begins like a formula is a text in a spreadsheet."""
    for start in "=+-@\t\r":
        text = to_csv(group(**{f"{start}SUM1": PASSED}))
        assert f"'{start}SUM1" in text


def test_faults_are_not_kept_and_rows_not_doubled(tmp_path: Path) -> None:
    """A verdict is written once; what failed by our fault is tried again by the next run."""
    key, other = (Key(name, "causal_mask", "c", "1") for name in "ab")
    with Results(tmp_path / "r.sqlite") as results:
        results.add(key, FAULT, times.now())
        assert results.known([key]) == set()
        results.add(key, WRONG, times.now())
        results.add(key, PASSED, times.now())
        assert results.verdict(key) == WRONG
        assert results.known([key, other]) == {key}
    with Results(tmp_path / "r.sqlite") as again:
        assert again.verdict(key) == WRONG
        numbers = again.numbers(["ada", "bob"])
        assert sorted(numbers.values()) == [1, 2]
        assert again.numbers(["cyd", "ada"]) == {**numbers, "cyd": 3}


def test_a_full_disk_keeps_what_was_graded(tmp_path: Path) -> None:
    """The run ends with one message, and every verdict before is there."""
    keys = [Key(f"{number:064}", "causal_mask", "c", "1") for number in range(200)]
    kept = []

    def fill(results: Results) -> None:
        for key in keys:
            results.add(key, WRONG, times.now())
            kept.append(key)

    with Results(tmp_path / "r.sqlite") as results:
        results._sql.execute("pragma max_page_count = 20")  # SQLite's own word for a full disk
        with pytest.raises(QuizprepError, match="full"):
            fill(results)
    assert 0 < len(kept) < len(keys)
    with Results(tmp_path / "r.sqlite") as again:
        assert again.known(keys) == set(kept)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_grader_that_dies_loses_nothing(tmp_path: Path) -> None:
    """All processes that grade are killed in the middle: each grading is made again, by us."""
    folder = tmp_path / "course"
    hand_in(folder, **{f"s{number}": f"{RIGHT}# {number}\n" for number in range(6)})
    library = Library()
    killed = []

    def kill(run: Run) -> None:
        if run.done == 2:
            for child in children(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                    killed.append(child)

    with Results(tmp_path / "r.sqlite") as results:
        planned = plan(scan(folder, ("softmax",)), folder, library, results)
        run = grade(planned, library, results, Settings(workers=2), kill)
        assert killed and (run.done, run.faults) == (6, [])
        assert all(verdict and verdict.passed for verdict in verdicts(planned, results).values())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_leaving_early_ends_what_is_graded(tmp_path: Path) -> None:
    """A run that is left while a submission loops leaves no process, and begins no other."""
    folder = tmp_path / "course"
    hand_in(folder, ada=RIGHT, bob=ENDLESS, cyd=ENDLESS + "#")
    library = Library()
    before = set(children(os.getpid()))
    with Results(tmp_path / "r.sqlite") as results:
        planned = plan(scan(folder, ("softmax",)), folder, library, results)
        run = local.run(planned.tasks, library, workers=1)
        assert next(run).verdict.passed
        run.close()
    assert set(children(os.getpid())) <= before


def test_a_system_that_cannot_confine_fails_no_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --require-confinement the run ends, and nothing is kept as anybody's failure."""
    refused = replace(BROKEN, unconfined=("Landlock (too old)",))
    monkeypatch.setattr(local, "run", lambda tasks, *_: (Outcome(task, refused) for task in tasks))
    hand_in(tmp_path / "course", ada=RIGHT)
    library = Library()
    with Results(tmp_path / "r.sqlite") as results:
        planned = plan(
            scan(tmp_path / "course", ("softmax",)), tmp_path / "course", library, results
        )
        strict = Settings(workers=1, require_confinement=True)
        with pytest.raises(QuizprepError, match="Landlock"):
            grade(planned, library, results, strict, lambda _: None)
        assert results.known(planned.keys.values()) == set()


def test_layouts(tmp_path: Path) -> None:
    """A layout finds students and exercises wherever they stand in a path."""
    for file in ("softmax/ada.py", "hw/bob_17_softmax.py", "softmax/.hidden.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("")
    for layout, student in (
        ("{exercise}/{student}.py", "ada"),
        ("*/{student}_*_{exercise}.py", "bob"),
    ):
        (found,) = scan(tmp_path, ("softmax",), layout).handed_in
        assert (found.student, found.exercise) == (student, "softmax")


@pytest.mark.parametrize("file", ["../x.py", "/etc/passwd", "a/../../x.py", "", "a\0b", "none.py"])
def test_nothing_outside_the_folder_is_read(tmp_path: Path, file: str) -> None:
    """A path that leaves the folder is refused, also where the file is there."""
    folder = tmp_path / "folder"
    (folder / "a").mkdir(parents=True)
    (tmp_path / "x.py").write_text("secret")
    with pytest.raises(Unreadable):
        read(folder, file)


def test_parquet(tmp_path: Path) -> None:
    """The rows are written if pyarrow is there; without it the extra is named."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError):
            write_parquet(group(a1=PASSED), tmp_path / "r.parquet")
    else:
        write_parquet(group(a1=PASSED), tmp_path / "r.parquet")
        assert (tmp_path / "r.parquet").read_bytes().startswith(b"PAR1")
