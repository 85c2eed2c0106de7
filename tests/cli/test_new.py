"""`quizprep new`: what it writes loads, is refused while unfinished, and passes once filled in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.authoring.scaffold import KINDS, MARK, new_bank, new_question, with_question
from quizprep.content.library import Library, shipped_root
from quizprep.content.loading import load_file
from quizprep.content.questions import Bank
from quizprep.errors import UsageError
from quizprep.quiz.scheduling import kind_of
from tests.cli.practice import content, run
from tests.cli.program import BANK
from tests.imports import ROOT

Run = Callable[..., object]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A user's folder, not made yet; the program runs on the tests' own content."""
    root = content(tmp_path)
    (root / "questions" / "concepts.yaml").write_text("scaling: {title: The scale, topic: x}\n")
    return tmp_path / "mine"


FILLED = {
    f'print("{MARK}")': 'print("seen")',
    f"{MARK}\n": "seen\n",
    f"{MARK}: the filling": "answer",
    f"{MARK}: the first point as a sentence": "The variance grows.",
    f"{MARK}: the second point as a sentence": "The softmax saturates.",
    f"{MARK} variance|spread grow*": "variance grow*",
    f"{MARK} softmax saturat*": "softmax saturat*",
    f"{MARK}: a good answer, which has to cover every point.": (
        "The variance grows, and the softmax saturates."
    ),
    "todo-author]  # ids of concepts.yaml": "scaling]",
    "todo-author]  # ids of sources.yaml": "vaswani2017]",
}


def filled(text: str) -> str:
    """What an author would write, as briefly as it can be."""
    for old, new in FILLED.items():
        text = text.replace(old, new)
    text = text.replace(f"# {MARK}: ", "# ")
    numbered = iter(range(1000))
    return re.sub(rf"{re.escape(MARK)}(: [^\n\"]*)?", lambda _: f"Text {next(numbered)} ___", text)


def fill_bank(path: Path) -> None:
    """Fill a bank in; a gap stays in the cloze alone."""
    parts = re.split(r"(?m)^(?=  - id: )", filled(path.read_text()))
    path.write_text(
        "".join(part if "kind: cloze" in part else part.replace(" ___", "") for part in parts)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_question_of_every_kind_is_refused_until_it_is_written(kind: str, mine: Path) -> None:
    """It loads at once; the check names each line that is left; filled in it passes."""
    done = run(mine.parent, "new", "question", "Demo", "--kind", kind, "--folder", str(mine))
    assert done.returncode == 0, done.stderr
    path = mine / "demo.yaml"
    (question,) = load_file(path, Bank).questions
    assert kind_of(question) == kind

    refused = run(mine.parent, "check", "--banks", str(mine))
    assert refused.returncode == 3
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if MARK in line:
            assert f"demo.yaml:{number}: still to be written" in refused.stderr
    assert "is not in concepts.yaml" in refused.stderr

    fill_bank(path)
    assert MARK not in path.read_text()
    accepted = run(mine.parent, "check", "--banks", str(mine))
    assert accepted.returncode == 0, accepted.stderr + path.read_text()
    assert "1 questions in 1 topics" in accepted.stdout


def test_a_bank_of_new_questions_can_be_asked(mine: Path) -> None:
    """One after another they go to the end of the same bank, under ids of their own."""
    for kind in KINDS:
        run(mine.parent, "new", "question", "demo", "--kind", kind, "--folder", str(mine))
    ids = [question.id for question in Library(mine).bank("demo").questions]
    assert ids == [f"demo-{number}" for number in range(1, len(KINDS) + 1)]
    asked = run(mine.parent, "ask", "--bank", str(mine), "--kind", "order", replies="q\n")
    assert "demo" in asked.stdout
    assert asked.returncode == 0


def test_what_a_bank_holds_stays_as_it_is(mine: Path) -> None:
    """Comments, spacing and line endings are kept, and lines are added in one place."""
    mine.mkdir()
    path = mine / "sample.yaml"
    text = (BANK / "sample.yaml").read_text().replace("format: 1", "# Mine.\nformat: 1")
    path.write_bytes(text.replace("\n", "\r\n").encode())
    done = run(mine.parent, "new", "question", "sample", "--id", "extra", "--folder", str(mine))
    assert done.returncode == 0, done.stderr
    after = path.read_bytes().decode()
    assert after.startswith(text.replace("\n", "\r\n"))
    assert after.count("\r\n") == after.count("\n")
    assert [q.id for q in load_file(path, Bank).questions][-1] == "extra"


SHAPES = {
    "last": "format: 1\ntopic: t\ntitle: T\ntemplate: x\nquestions:\n{q}",
    "first": "questions:\n{q}# About the rest.\n\nformat: 1\ntopic: t\ntitle: T\ntemplate: x\n",
    "comment at the end": "format: 1\ntopic: t\ntitle: T\ntemplate: x\nquestions:\n{q}# The end.\n",
}


@given(
    st.sampled_from(sorted(SHAPES)),
    st.lists(st.sampled_from(KINDS), max_size=3),
    st.sampled_from(["", "  ", "    "]),
    st.booleans(),
)
def test_a_question_is_added_to_banks_of_any_shape(
    shape: str, kinds: list[str], indent: str, newline: bool
) -> None:
    """The questions before are the same, the new one is the last, wherever the list stands."""
    questions = "".join(new_question(kind, f"q{n}") for n, kind in enumerate(kinds))
    block = "".join(f"{indent}{line}" for line in questions.splitlines(keepends=True))
    text = SHAPES[shape].format(q=block)
    result = with_question(Path("t.yaml"), text if newline else text.rstrip("\n"),
                           new_question("open", "added"))  # fmt: skip
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.yaml"
        path.write_text(result)
        after = load_file(path, Bank).questions
        path.write_text(SHAPES[shape].format(q=block + f"{indent}- {{id: z}}\n"))
    assert [q.id for q in after] == [*(f"q{n}" for n in range(len(kinds))), "added"]
    assert [kind_of(q) for q in after] == [*kinds, "open"]
    assert all(line in result for line in text.splitlines())


def test_a_list_in_brackets_is_refused_and_left_alone(mine: Path) -> None:
    """Where the place cannot be told nothing is written, and the message says what to do."""
    mine.mkdir()
    question = (
        "{id: a, kind: cloze, level: junior, concepts: [scaling], ask: A ___, accept: [b], "
        "why: c, sources: [vaswani2017]}"
    )
    text = f"format: 1\ntopic: t\ntitle: T\ntemplate: x\nquestions: [{question}]\n"
    (mine / "t.yaml").write_text(text)
    done = run(mine.parent, "new", "question", "t", "--folder", str(mine))
    assert done.returncode == 2
    assert "begun with '- '" in done.stderr
    assert (mine / "t.yaml").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "code", "phrase"),
    [
        (["question", "K V"], 2, "cannot be the name of a topic"),
        (["question", "../up"], 2, "cannot be the name of a topic"),
        (["question", "demo", "--id", "A B"], 2, "cannot be the name of a question"),
        (["question", "demo", "--kind", "essay"], 2, "essay"),
        (["exercise", "1st"], 2, "cannot be the name of an exercise"),
        (["exercise", "x", "--runtime", "jax"], 2, "jax"),
    ],
)
def test_names_that_do_not_fit_are_usage_errors(
    arguments: list[str], code: int, phrase: str, mine: Path
) -> None:
    """Exit code 2, and nothing is written."""
    done = run(mine.parent, "new", *arguments, "--folder", str(mine))
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert phrase in done.stderr
    assert not mine.exists()


def test_a_faulty_bank_is_named_before_anything_is_added(mine: Path) -> None:
    """Exit code 3 with its line; it is left as it is."""
    mine.mkdir()
    (mine / "t.yaml").write_text("format: 2\n")
    done = run(mine.parent, "new", "question", "t", "--folder", str(mine))
    assert done.returncode == 3
    assert "t.yaml:1" in done.stderr
    assert (mine / "t.yaml").read_text() == "format: 2\n"


@pytest.mark.parametrize("what", ["question", "exercise"])
def test_shipped_content_is_never_written_to_unasked(what: str, tmp_path: Path) -> None:
    """Neither by its path nor through a link; --shipped allows it."""
    root = content(tmp_path)
    (tmp_path / "link").symlink_to(root)
    before = sorted(root.rglob("*"))
    name = "sample" if what == "question" else "fresh"
    for folder in (root, tmp_path / "link"):
        done = run(tmp_path, "new", what, name, "--folder", str(folder))
        assert done.returncode == 2
        assert "--shipped" in done.stderr
    assert sorted(root.rglob("*")) == before
    assert (root / "questions" / "sample.yaml").read_bytes() == (BANK / "sample.yaml").read_bytes()
    assert run(tmp_path, "new", what, name, "--folder", str(root), "--shipped").returncode == 0


@pytest.mark.parametrize("runtime", ["torch", "numpy"])
def test_an_exercise_is_refused_until_it_is_written(runtime: str, mine: Path) -> None:
    """Its files load; the check names each line that is left and grades nothing."""
    arguments = ["new", "exercise", "my-task", "--runtime", runtime, "--folder", str(mine)]
    assert run(mine.parent, *arguments).returncode == 0
    exercise = Library(mine).exercise("my_task")
    assert exercise.spec.runtime == runtime
    files = [*exercise.folder.iterdir(), exercise.solution]
    for path in files:
        if path.suffix == ".py":
            compile(path.read_text(), path, "exec")
    refused = run(mine.parent, "check", str(mine), "--exercise", "my_task")
    assert refused.returncode == 3
    marks = sum(line.count(MARK) > 0 for path in files for line in path.read_text().splitlines())
    assert refused.stderr.count("still to be written") == marks > 20
    again = run(mine.parent, *arguments)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_an_exercise_that_is_filled_in_proves_itself(mine: Path) -> None:
    """Its starter fails, its solution passes with an exact cost, its mistakes are told apart."""
    run(mine.parent, "new", "exercise", "my_task", "--runtime", "numpy", "--folder", str(mine))
    exercise = Library(mine).exercise("my_task")
    for path in [*exercise.folder.iterdir(), exercise.solution]:
        text = (
            path.read_text()
            .replace("sources: [todo-author", "sources: [vaswani2017")
            .replace("todo-author", "scaling")
            .replace(f"{MARK}: ", "")
        )
        path.write_text(text)
    done = run(mine.parent, "check", "--write", str(mine), "--exercise", "my_task")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (exercise.folder / "measured.yaml").is_file()
    assert "2 mistakes named, 1 pairs told apart" in done.stdout
    assert "flops = " in done.stdout


def test_the_mark_stands_nowhere_in_what_is_shipped() -> None:
    """Only scaffolds hold it."""
    for name in ("questions", "exercises", "solutions"):
        for path in (shipped_root() / name).rglob("*.*"):
            if path.suffix in (".yaml", ".md", ".py"):
                assert MARK not in path.read_text("utf-8"), path
    assert MARK in new_bank("t")
    assert (ROOT / "questions").is_dir()


def test_a_head_without_questions_is_no_bank_to_add_to() -> None:
    """A text whose list cannot be found raises, whatever it is."""
    with pytest.raises(UsageError):
        with_question(Path("t"), "questions: {}\n", new_question("open", "a"))
