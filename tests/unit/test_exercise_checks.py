"""What is wrong with an exercise.yaml is told by line and field, before anything runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from quizprep.authoring.bank_checks import check_exercises
from quizprep.authoring.references import circle
from quizprep.content.exercise_checks import spec_findings
from quizprep.content.library import Library, shipped_root
from quizprep.errors import ContentError

LIBRARY = Library(shipped_root())
FLOPS = "  flops: {growth: rows*cols, budget: 3}"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of an exercise under another name, in a folder of its own."""
    shutil.copytree(shipped_root() / "exercises" / "softmax", tmp_path / "exercises" / "mine")
    (tmp_path / "solutions").mkdir()
    shutil.copy(LIBRARY.exercise("softmax").solution, tmp_path / "solutions" / "mine.py")
    return tmp_path


def damage(root: Path, old: str, new: str) -> int:
    """Replace a line of exercise.yaml; its number."""
    path = root / "exercises" / "mine" / "exercise.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    return text[: text.index(old)].count("\n") + 1


DAMAGE = {
    "an unknown size in a relation": (
        "contract:",
        "contract:\n  where: [window <= rows]",
        "contract.where[0]: window is not in contract.sizes",
    ),
    "a sum where growth is compared": (
        "contract:",
        "contract:\n  where: [rows <= cols + 1]",
        "contract.where[0]: compares sums",
    ),
    "no relation": (
        "contract:",
        "contract:\n  points_where: [rows << cols]",
        "contract.points_where[0]: is not a relation",
    ),
    "an unknown size among the cases": (
        "cases:",
        "cases:\n  where: [row <= 8]",
        "cases.where[0]: row is not in sizes or options; did you mean rows?",
    ),
    "a tile of nothing": (
        "contract:",
        "contract:\n  tiles: {rows: [colums]}",
        "contract.tiles.rows: colums is not in contract.sizes; did you mean cols?",
    ),
    "no formula": (FLOPS, "  flops: {growth: rows*}", "contract.flops.growth: "),
    "a formula of an unknown size": (
        FLOPS,
        "  flops: {growth: rows*columns}",
        "contract.flops.growth: columns is not in contract.sizes",
    ),
    "two formulas": (
        FLOPS,
        "  flops: {growth: rows*cols, exact: rows*cols}",
        "contract.flops: has growth and exact",
    ),
    "no limit": (FLOPS, "  flops: {}", "contract.flops: limits nothing"),
    "half a witness": (
        "  witness: {rows: 768, cols: 768}",
        "  witness: {rows: 768}",
        "contract.witness: gives no cols",
    ),
    "an unknown size listed": (
        "cases:",
        "cases:\n  listed: [rowz]",
        "cases.listed: rowz is not in cases.sizes; did you mean rows?",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_fault_is_told_by_line_and_field(kind: str, own: Path) -> None:
    """An exercise that could not be graded does not load, and the message says where and why."""
    old, new, says = DAMAGE[kind]
    line = damage(own, old, new) + new.count("\n")
    with pytest.raises(ContentError) as raised:
        Library(own).exercise("mine")
    (problem,) = raised.value.problems
    assert problem.line == line
    assert f"{problem.field}: {problem.message}".startswith(says)


def test_what_is_shipped_has_none_of_these_faults() -> None:
    """Every relation, formula and name of every exercise is one, and refers to what exists."""
    for exercise in LIBRARY.exercises:
        assert not list(spec_findings(exercise.spec)), exercise.id
    assert not check_exercises(LIBRARY, LIBRARY.exercise_ids)


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("sources: [vaswani2071]", "sources[0]: vaswani2071 is not in sources.yaml; did you mean"),
        ("after: [softmacs]", "after[0]: softmacs is not in exercises/; did you mean softmax?"),
        ("after: [mine]", "after: leads back to itself: mine after mine"),
    ],
)
def test_a_reference_to_nothing_is_told(field: str, says: str, own: Path) -> None:
    """Sources and prerequisites are looked up, in a folder of one's own as well."""
    path = own / "exercises" / "mine" / "exercise.yaml"
    name = field.partition(":")[0]
    lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{name}:")]
    path.write_text("\n".join([*lines, field]) + "\n")
    (problem,) = check_exercises(Library(own), ["mine"])
    assert problem.line == len(lines) + 1
    assert f"{problem.field}: {problem.message}".startswith(says)


def test_a_circle_is_found_from_each_of_its_members() -> None:
    """From a member the way leads back to it; what only leads into a circle is in none."""
    after = {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"], "e": []}
    for name in "abc":
        way = circle(after, name)
        assert way[0] == way[-1] == name and len(way) == 4
        assert all(one in after[two] for one, two in pairwise(way))
    assert not circle(after, "d") and not circle(after, "e")


def test_the_command_says_it_in_one_line(own: Path) -> None:
    """`quizprep grade` on such an exercise ends with code 3 and says where the fault is."""
    damage(own, FLOPS, "  flops: {growth: rows*columns}")
    run = subprocess.run(
        [sys.executable, "-m", "quizprep", "grade", "--exercises", str(own), "mine", "x.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 3
    assert "exercise.yaml:" in run.stderr and "columns is not in contract.sizes" in run.stderr
    assert "Traceback" not in run.stderr and "internal fault" not in run.stderr
