"""An exercise that does not hold what it promises is told so, each time with another sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quizprep.authoring.exercise_proof import SEEDS, Evidence, Prover, trivial_sources
from quizprep.authoring.scaffold import new_exercise
from quizprep.content.library import Exercise, Library, shipped_root
from quizprep.grading import wire
from quizprep.grading.grader import Grader
from quizprep.grading.pool import Pool
from quizprep.worker.judge.author_requests import tell_apart, visible

FOLDER = "exercises/my_task"
SOLUTION = "solutions/my_task.py"
RIGHT = "    return 2 * (x - x.mean(axis=-1, keepdims=True))\n"
MODEL = '    return distance if "not_doubled" in mistakes else 2 * distance\n'

Change = tuple[str, str, str]
"""A file, a text that stands in it, and what stands there instead."""

Make = Callable[..., Exercise]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """The exercise that `quizprep new` writes, with changes."""

    def made(*changes: Change) -> Exercise:
        for name, text in new_exercise("my_task", "numpy").items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        for name, old, new in changes:
            path = tmp_path / name
            text = path.read_text("utf-8") if path.exists() else ""
            assert old in text
            path.write_text(text.replace(old, new) if old else new, "utf-8")
        return Library(tmp_path).exercise("my_task")

    return made


def model(**mistakes: str) -> tuple[Change, Change]:
    """Changes to mistakes.py: these mistakes alone, each with what it adds to the output."""
    known = "".join(f'    "{name}": Mistake("Says.", concept="c"),\n' for name in mistakes)
    terms = "".join(
        f'    y = y + (({term}) if "{name}" in mistakes else 0)\n'
        for name, term in mistakes.items()
    )
    whole = (
        "import numpy as np\n\nfrom quizprep.exercise import Mistake\n\n"
        f"MISTAKES = {{\n{known}}}\n\n\ndef solve(x, mistakes=frozenset()):\n"
        f"    y = 2 * (x - x.mean(axis=-1, keepdims=True))\n{terms}    return y.astype(x.dtype)\n"
    )
    name = f"{FOLDER}/mistakes.py"
    return (name, MODEL, ""), (name, "", whole)


def said(evidence: Evidence) -> str:
    return " | ".join(f"{Path(p.file).name}: {p.message}" for p in evidence.problems)


def prove(pool: Pool, exercise: Exercise, pairs: bool = False) -> Evidence:
    return Prover(pool).prove(exercise, pairs=pairs)


def test_a_sound_exercise_has_no_problem(make: Make, pool: Pool) -> None:
    """The template that the faults below are planted in proves itself, mutants aside."""
    told: list[str] = []
    evidence = Prover(pool, say=told.append).prove(make())
    assert said(evidence) == ""
    assert (evidence.singles, evidence.told_apart) == (2, 1)
    assert evidence.formulas.keys() == {"flops", "peak_bytes"}
    assert all(line.startswith("my_task: ") for line in told)


def test_files_that_are_missing_are_all_named(make: Make, pool: Pool) -> None:
    """Nothing is graded before every file is there."""
    exercise = make()
    (exercise.folder / "starter.py").unlink()
    (exercise.folder / "mistakes.py").unlink()
    exercise.solution.unlink()
    told: list[str] = []
    evidence = Prover(pool, say=told.append).prove(exercise)
    assert said(evidence) == (
        "starter.py: is missing | mistakes.py: is missing | my_task.py: is missing"
    )
    assert told == []


RAISE = '    raise NotImplementedError("my_task is not written yet")\n'
FAULTS: list[tuple[list[Change], str]] = [
    ([(f"{FOLDER}/starter.py", RAISE, RIGHT)], "starter.py: must load and then fail; it passes"),
    (
        [(f"{FOLDER}/starter.py", "import numpy", "import nothing_called_so")],
        "starter.py: must load and then fail; it does not load",
    ),
    ([(SOLUTION, "return 2", "return 3")], "my_task.py: must pass: correctness: y is wrong"),
    ([(SOLUTION, "import numpy", "import nothing_called_so")], "must pass: load: Your file"),
    (
        [(SOLUTION, RIGHT, f"    y = [x[:, None] - x for _ in range(1)]\n{RIGHT}")],
        "my_task.py: must pass: cost: ",
    ),
    (
        [(SOLUTION, RIGHT, f"    y = x[: int(x.shape[0] ** 0.5)].sum()\n{RIGHT}")],
        "exercise.yaml: contract: the sizes give no exact formula for the solution's flops",
    ),
    (
        [
            (f"{FOLDER}/reference.py", "return 2 *", "return 0 *"),
            (SOLUTION, "return 2 *", "return 0 *"),
        ],
        "exercise.yaml: a submission that returns zeros passes",
    ),
    (
        [(f"{FOLDER}/mistakes.py", MODEL, "    return 2 * distance\n")],
        "mistakes.py: not_doubled: a submission with this mistake passes",
    ),
    (
        [*model(one="np.ones_like(x)", twin="np.ones_like(x)")],
        "mistakes.py: one: named nothing instead (correctness: y is wrong",
    ),
    (
        [
            (
                f"{FOLDER}/exercise.yaml",
                "sources:",
                "pictures: [{title: Seen, says: So., concepts: [c], sizes: {rows: 3}}]\nsources:",
            )
        ],
        "exercise.yaml: pictures: Seen: the reference gives no mask at its sizes (KeyError",
    ),
]


@pytest.mark.parametrize(("changes", "says"), FAULTS, ids=[says[:40] for _, says in FAULTS])
def test_a_fault_is_told_in_its_file(
    changes: list[Change], says: str, make: Make, pool: Pool
) -> None:
    """Every promise that an exercise can break has its own sentence."""
    assert says in said(prove(pool, make(*changes)))


def test_pairs_are_sorted_by_what_they_give(make: Make, pool: Pool) -> None:
    """Told apart; the same as nothing or as fewer mistakes; or fitting several explanations."""
    changes = model(one="1", two="2", minus="-1", four="4", five="5")
    evidence = prove(pool, make(*changes), pairs=True)
    assert said(evidence) == ""
    assert "minus + one = nothing" in evidence.alike
    assert "minus + two = one" in evidence.alike
    # 1 + 5 is 2 + 4.
    assert {"five + one", "four + two"} <= set(evidence.unnamed)
    # 2 + 5, which nothing else gives.
    assert evidence.told_apart >= 1


def rare_value(prover: Prover, exercise: Exercise) -> float:
    """Something that only the first of two sets of fresh cases reaches with its first number."""

    def largest(seed: int) -> float:
        cases = prover._grader.cases(exercise, seed)
        return max(
            float(
                abs(
                    np.random.default_rng(case.seed).standard_normal(tuple(case.params.values()))[
                        0, 0
                    ]
                )
                * case.magnitude
            )
            for case in cases
        )

    one, other = (largest(seed) for seed in SEEDS)
    if one == other:
        pytest.skip("the largest number is in a fixed case, which both sets have")
    return (one + other) / 2


def test_a_pair_that_is_named_by_chance_is_a_problem(make: Make, pool: Pool) -> None:
    """Where fresh cases of one seed show more than those of another, a case is missing."""
    prover = Prover(pool)
    rare = f"1 * (abs(x.flat[0]) > {rare_value(prover, make())})"
    changes = model(one="1", rare=rare, also=rare)
    evidence = Evidence("my_task")
    prover._pairs(make(*changes), evidence)
    assert "one + rare: named " in said(evidence)
    assert "by chance; add cases that tell them apart" in said(evidence)


def test_a_picture_is_what_the_queries_see(pool: Pool) -> None:
    """The masks of a shipped exercise are found, one a picture."""
    exercise = Library(shipped_root()).exercise("causal_mask")
    evidence = Evidence(exercise.id)
    Prover(pool)._pictures(exercise, evidence)
    assert evidence.problems == []
    assert len(evidence.masks) == len(exercise.spec.pictures)
    assert evidence.masks[0] == tuple(tuple(j <= i for j in range(10)) for i in range(10))


def test_rows_that_no_value_changes_are_no_attention() -> None:
    """A picture of a reference that ignores its values is refused."""
    with pytest.raises(ValueError, match="no output changes with any value"):
        visible(lambda v: np.zeros((3, 2)), np.ones((1, 1, 4, 2)))


def test_mutants_are_counted_by_their_fate(make: Make, pool: Pool) -> None:
    """Killed, equivalent for a reason that is listed, or survived, which is a problem; a listed
    one that does not pass is a problem too."""
    line = "    x = x.reshape(x.shape)\n"
    mutants = (
        "- {change: 'x = x.reshape(x.shape) -> nothing', inside: 'x = x.reshape(x.shape)', "
        "because: It changes nothing.}\n"
        "- {change: 'no -> such', inside: 'thing', because: It is not there.}\n"
    )
    listed = make((SOLUTION, RIGHT, line + RIGHT), (f"{FOLDER}/mutants.yaml", "", mutants))
    evidence = Evidence("my_task")
    Prover(pool).mutate(listed, evidence)
    assert (
        said(evidence) == "mutants.yaml: lists 'no -> such' in 'thing', but no such mutant passes"
    )
    assert evidence.mutants is not None
    assert evidence.mutants.killed > 3
    assert (evidence.mutants.equivalent, evidence.mutants.survived) == (1, ())

    unlisted = make((SOLUTION, RIGHT, line + RIGHT))
    (unlisted.folder / "mutants.yaml").unlink()
    evidence = Evidence("my_task")
    Prover(pool).mutate(unlisted, evidence)
    assert evidence.mutants is not None
    assert [m.change for m in evidence.mutants.survived] == ["x = x.reshape(x.shape) -> nothing"]
    assert "passes; add a case, or list it in mutants.yaml" in said(evidence)


def test_mutants_of_a_wrong_solution_prove_nothing(make: Make, pool: Pool) -> None:
    """A solution has to pass before its mutants can be killed."""
    evidence = Evidence("my_task")
    Prover(pool).mutate(make((SOLUTION, "return 2", "return 3")), evidence)
    assert said(evidence) == "my_task.py: must pass"
    assert evidence.mutants is None


def told_apart(exercise: Exercise, most: int = 100) -> dict[tuple[str, ...], tuple[bool, set[str]]]:
    """By pair of switches: whether it fails, and what it is named, found in this process."""
    cases = Grader(Pool()).cases(exercise, SEEDS[0])[:most]
    request = wire.TellApart(
        folder=str(exercise.folder), runtime=exercise.spec.runtime, cases=cases
    )
    return {pair.switches: (pair.fails, set(pair.named)) for pair in tell_apart(request).pairs}


def test_a_pair_that_raises_is_named_as_itself(make: Make) -> None:
    """An exception is an outcome as good as an output: which mistakes raise, and on which cases."""
    changes = model(one="1", long="1 / (0 if x.shape[1] > 5 else np.inf)")
    found = told_apart(make(*changes))
    assert found == {("long", "one"): (True, {"long", "one"})}


def test_gradients_tell_mistakes_apart() -> None:
    """Two mistakes of which one shows in the gradient alone are named together."""
    found = told_apart(Library(shipped_root()).exercise("padding_mask"), most=20)
    assert found["nan_gradient", "no_scale"] == (True, {"nan_gradient", "no_scale"})


def test_a_script_has_no_trivial_output() -> None:
    """Where a script of calls is driven there is no output whose shape could be copied."""
    library = Library(shipped_root())
    assert list(trivial_sources(library.exercise("kv_cache"))) == []
    assert len(list(trivial_sources(library.exercise("softmax")))) == 4
