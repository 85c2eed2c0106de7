"""The banks test themselves: ours are sound, and every semantic fault is found on its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from quizprep.authoring.bank_checks import check_banks, load_library_problems
from quizprep.authoring.question_checks import shown_texts
from quizprep.authoring.question_draws import every_draw
from quizprep.authoring.snippets import check_snippets, run_snippet
from quizprep.content.draws import draw, fill
from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Code, Level
from quizprep.formula import parse

SHIPPED = Library(shipped_root())


def test_shipped_banks_are_sound() -> None:
    """Our own files load and pass every rule of the check."""
    assert [str(problem) for problem in load_library_problems(SHIPPED)] == []
    assert [str(problem) for problem in check_banks(SHIPPED)] == []


def test_shipped_snippets_print_what_they_say() -> None:
    """Every snippet of a code question was run and printed ``prints``."""
    assert [str(problem) for problem in check_snippets(SHIPPED)] == []


@pytest.mark.parametrize("topic", SHIPPED.topics)
def test_every_text_can_be_shown_in_every_draw(topic: str) -> None:
    """No draw leaves a placeholder or a brace in what the learner reads."""
    for question in SHIPPED.bank(topic).questions:
        for values in (*list(every_draw(question))[:40], draw(question, 7)):
            for steps, text in shown_texts(question):
                shown = "".join(fill(text, question, values).split("$")[::2])
                assert "{" not in shown, (question.id, steps)


@pytest.mark.parametrize(
    ("topic", "formula", "spoken"),
    [
        ("kv-cache", "2 * 32 * 32 * 128 * 2 / 2**10", "{} KiB a token"),
        ("kv-cache", "2 * 32 * 32 * 128 * 2 * 4096 / 2**30", "{} GiB for one sequence of 4096"),
        ("kv-cache", "2 * 32 * 32 * 128 * 2 * 4096 * 32 / 2**30", "{} GiB for\n32 of them"),
        ("scaling", "sqrt(64)", "spread by {} or"),
        ("scaling", "floor(sqrt(128))", "or {} puts"),
    ],
)
def test_numbers_in_spoken_answers_are_computed(topic: str, formula: str, spoken: str) -> None:
    """A number in a topic's spoken answer is the value of its formula."""
    assert spoken.format(parse(formula).evaluate({})) in SHIPPED.bank(topic).template


def test_shipped_topics_have_enough_questions() -> None:
    """Each topic has ten questions or more, of several kinds and levels."""
    for topic, bank in SHIPPED.banks.items():
        assert len(bank.questions) >= 10, topic
        assert len({type(question) for question in bank.questions}) >= 3, topic
        assert {question.level for question in bank.questions} == set(Level), topic


GOOD = """\
format: 1
topic: demo
title: A demo
template: Say $x^2$.
questions:
  - id: which
    kind: choice
    level: senior
    concepts: [scaling]
    ask: Which one of {d}?
    given:
      d: [1, 2]
    options:
      - text: This one
        right: true
      - text: That one
        says: It is not.
    why: Because.
    sources: [paper]
    exercise: softmax
    follow_ups: [how-many]
  - id: how-many
    kind: number
    level: junior
    concepts: [scaling]
    ask: "{d} bytes, {heads} heads of {type}?"
    given:
      d: [1, 2]
      heads: [3, 5]
      type: [A, B]
    show:
      twice: 2 * d
    answer: 3 * d * heads
    unit: B
    tolerance: 1%
    traps:
      - gives: twice * heads
        says: Too few.
      - gives: d * heads
        says: Far too few.
    why: Three times.
    sources: [paper]
  - id: why
    kind: open
    level: staff
    concepts: [scaling]
    ask: Why?
    points:
      - {id: one, says: First, accept: [variance|spread grow*]}
      - {id: two, says: Second, accept: [one-hot]}
    model: Variance grows into the one-hot.
    why: So.
    sources: [paper]
  - id: growth
    kind: growth
    level: staff
    concepts: [scaling]
    ask: How?
    symbols: {n: tokens, w: window}
    where: [w <= n]
    answer: n*w
    traps:
      - gives: n**2
        says: Too loose.
    why: So.
    sources: [paper]
  - id: gap
    kind: cloze
    level: staff
    concepts: [scaling]
    ask: It is ___.
    accept: [a, b]
    traps:
      - gives: c
        says: No.
    why: So.
    sources: [paper]
  - id: prints
    kind: code
    level: staff
    concepts: [scaling]
    ask: What?
    snippet: print({1 + 1})
    prints: "{2}"
    traps:
      - gives: "{3}"
        says: No.
    why: So.
    sources: [paper]
  - id: steps
    kind: order
    level: staff
    concepts: [scaling]
    ask: Order?
    steps: [a, b, c]
    why: So.
    sources: [paper]
"""


def library(root: Path, text: str, name: str = "demo") -> Library:
    """A library with one bank, one concept, one source and one exercise."""
    (root / "questions").mkdir()
    (root / "exercises" / "softmax").mkdir(parents=True)
    (root / "exercises" / "softmax" / "exercise.yaml").touch()
    (root / "questions" / f"{name}.yaml").write_text(text, encoding="utf-8")
    concepts = "scaling: {title: The scale, topic: demo}\n"
    (root / "questions" / "concepts.yaml").write_text(concepts)
    sources = "paper: {authors: A, year: 2020, title: T}\n"
    (root / "questions" / "sources.yaml").write_text(sources)
    return Library(root)


def test_good_bank_has_no_problem(tmp_path: Path) -> None:
    """The bank that the faults below are planted in is sound itself."""
    good = library(tmp_path, GOOD)
    assert [str(problem) for problem in (*check_banks(good), *check_snippets(good))] == []


def test_folder_of_banks_only_may_use_what_is_shipped(tmp_path: Path) -> None:
    """Banks without concepts, sources and exercises of their own refer to ours."""
    text = GOOD.replace("[paper]", "[vaswani2017]").replace("follow_ups: [how-many]", "hint: x")
    bank = tmp_path / "demo.yaml"
    bank.write_text(text.replace("exercise: softmax", "exercise: attention"), encoding="utf-8")
    assert check_banks(Library(tmp_path)) == []
    bank.write_text(text.replace("exercise: softmax", "exercise: x"))
    (problem,) = check_banks(Library(tmp_path))
    assert (problem.file, problem.line) == (str(bank), 20)


def test_an_exercise_that_trains_something_else_is_refused(tmp_path: Path) -> None:
    """A question leads to an exercise that shares a concept with it."""
    text = GOOD.replace("[paper]", "[vaswani2017]").replace("follow_ups: [how-many]", "hint: x")
    (tmp_path / "demo.yaml").write_text(text, encoding="utf-8")
    (problem,) = check_banks(Library(tmp_path))
    assert problem.line == 20
    assert "softmax trains none of this question's concepts" in problem.message


def test_a_concept_that_no_question_is_about_is_refused(tmp_path: Path) -> None:
    """A mistake that names such a concept would bring no question forward."""
    good = library(tmp_path, GOOD)
    more = tmp_path / "questions" / "concepts.yaml"
    more.write_text(more.read_text() + "lost: {title: Lost, topic: demo}\n", encoding="utf-8")
    (problem,) = check_banks(Library(good.root))
    assert (problem.file, problem.line) == (str(more), 2)
    assert "no question is about it" in problem.message


# name: (text in GOOD, what replaces it, line, phrase)
FAULTS: dict[str, tuple[str, str, int, str]] = {
    "topic": ("topic: demo", "topic: other", 2, "'other' in a file called demo.yaml"),
    "template maths": ("Say $x^2$.", "Say $x^2.", 4, "without its partner"),
    "concept": ("[scaling]\n    ask: Which", "[scalling]\n    ask: Which", 9, "mean scaling?"),
    "source": ("[paper]\n    exercise", "[papers]\n    exercise", 19, "not in sources.yaml"),
    "exercise": ("exercise: softmax", "exercise: softmaxx", 20, "is not a folder under"),
    "follow-up": ("[how-many]", "[how-much]", 21, "did you mean how-many?"),
    "follows itself": ("[how-many]", "[which]", 21, "names the question itself"),
    "source twice": ("[paper]\n    exercise", "[paper, paper]\n    exercise", 19, "named twice"),
    "placeholder": ("Which one of {d}?", "Which of {d}, {e}?", 10, "{e}, which is not in given"),
    "stray brace": ("Which one of {d}?", "Which of {d} in {1, 2}?", 10, "write {{ or }}"),
    "unknown LaTeX": ("why: Because.", r"why: $\foo$", 18, r"\foo is not in the subset"),
    "unused parameter": ("Which one of {d}?", "Which?", 12, "is used nowhere"),
    "value twice": ("d: [1, 2]\n    options", "d: [1, 1]\n    options", 12, "listed twice"),
    "dollar in value": ("[A, B]", "[A, $B]", 30, "plain text"),
    "parameter name": ("d: [1, 2]\n    options", "D: [1, 2]\n    options", 12, "parameter name"),
    "nothing right": ("right: true", "says: nope", 13, "no right option"),
    "nothing wrong": ("text: That one", "text: That one\n        right: true", 13, "no wrong"),
    "wrong without reason": ("        says: It is not.\n", "", 16, "why this option is wrong"),
    "same options": ("text: That one", "text: This one", 16, "text of another option"),
    "formula syntax": ("3 * d * heads", "3 d heads", 33, "cannot be read as a formula"),
    "formula name": ("3 * d * heads", "3 * d * head", 33, "uses head, which is not in given"),
    "formula over text": ("3 * d * heads", "3 * d * type", 33, "whose values are text"),
    "show name": ("twice: 2 * d", "twice: 2 * thrice", 32, "uses thrice"),
    "division by zero": ("3 * d * heads", "3 * heads / (d - 1)", 33, "divides by zero"),
    "unit": ("unit: B", "unit: Byte", 34, "is 'Byte'; write one of"),
    "trap is right": ("gives: d * heads", "gives: heads * 3 * d", 39, "equals the answer in"),
    "trap too near": ("gives: d * heads", "gives: 3.05 * d * heads", 39, "within the tolerance"),
    "twin traps": ("gives: d * heads", "gives: heads * d * 2", 39, "equals traps[0] in 8 of 8"),
    "trap right too often": (
        "gives: d * heads", "gives: max(d, 1) * heads * 3 * min(d, 2) / d", 39, "equals the answer",
    ),
    "wording": ("[one-hot]", "['One Hot!']", 50, "write lower-case words"),
    "wording twice": ("[one-hot]", "[x, x]", 50, "accepted twice"),
    "growth name": ("answer: n*w", "answer: n*m", 61, "uses m, which is not in symbols"),
    "growth constant": ("answer: n*w", "answer: 4*n*w + w**2", 61, "write n*w"),
    "growth relation": ("[w <= n]", "[w < n]", 60, "is not a relation"),
    "growth trap": ("gives: n**2", "gives: 2*n*w + w", 63, "grows like the answer"),
    "no gap": ("It is ___.", "It is.", 71, "exactly one gap"),
    "two gaps": ("It is ___.", "___ is ___.", 71, "exactly one gap"),
    "cloze trap": ("gives: c", "gives: ' A'", 74, "is a right answer too"),
    "code trap": ('gives: "{3}"', 'gives: "{2}"', 86, "is a right answer too"),
    "same step": ("[a, b, c]", "[a, b, a]", 95, "same step"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_on_its_line(name: str, tmp_path: Path) -> None:
    """Each rule of the check names the file and the line, and says what to write."""
    old, new, line, phrase = FAULTS[name]
    assert GOOD.count(old) == 1
    problems = check_banks(library(tmp_path, GOOD.replace(old, new)))
    listed = "\n".join(map(str, problems))
    assert any(p.line == line and phrase in p.message for p in problems), listed
    assert all(p.file.endswith("demo.yaml") for p in problems)


def test_ids_differ_over_all_banks(tmp_path: Path) -> None:
    """An id may not occur again in another bank, nor in another spelling."""
    both = library(tmp_path, GOOD)
    again = GOOD.replace("topic: demo", "topic: zoo").replace("id: how-many", "id: how_many")
    (tmp_path / "questions" / "zoo.yaml").write_text(again)
    taken = [p for p in check_banks(both) if "is taken by" in p.message]
    assert len(taken) == 7
    assert all(p.file.endswith("zoo.yaml") for p in taken)
    assert "taken by how-many in demo.yaml" in taken[1].message


SNIPPETS: dict[str, tuple[str, str, str]] = {
    "other output": ("print(2)", "3", "write '2'"),
    "exception": ("print(1 / 0)", "1", "ZeroDivisionError"),
    "syntax": ("print(", "1", "is not Python"),
    "import": ("import click\nprint(1)", "1", "imports click"),
    "nested import": ("def f():\n    from rich import x\nprint(1)", "1", "imports rich"),
    "relative import": ("from . import x", "1", "imports ."),
    "exit code": ("print(1)\nraise SystemExit(3)", "1", "fails when it is run"),
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_bad_snippet_is_named(name: str) -> None:
    """A snippet that fails, prints something else or imports more is refused with the reason."""
    snippet, prints, phrase = SNIPPETS[name]
    problem = run_snippet(_code(snippet, prints))
    assert problem is not None
    assert phrase in problem.message


def test_endless_snippet_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snippet that does not end is stopped at the limit and named."""
    monkeypatch.setattr("quizprep.authoring.snippets.TIMEOUT", 0.5)
    problem = run_snippet(_code("while True:\n    pass", "1"))
    assert problem is not None
    assert "takes more than" in problem.message


def test_good_snippet_passes() -> None:
    """Blanks at the ends of lines and empty lines around do not count."""
    assert run_snippet(_code("print('a ')\nprint()\nprint('b')\nprint()", "a\n\nb")) is None


def _code(snippet: str, prints: str) -> Code:
    return Code(
        id="c",
        level=Level.JUNIOR,
        concepts=("x",),
        ask="?",
        why=".",
        sources=("s",),
        snippet=snippet,
        prints=prints,
    )
