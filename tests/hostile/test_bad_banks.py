"""Bad banks: each is refused with its line and with what to write instead, never otherwise."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from quizprep.authoring.bank_checks import check_banks, load_library_problems
from quizprep.content.library import Library, shipped_root
from quizprep.content.loading import MAX_BYTES, MAX_PROBLEMS, load_file
from quizprep.content.questions import Bank
from quizprep.errors import ContentError, Problem

GOOD = """\
format: 1
topic: demo
title: A demo
template: Say this.
questions:
  - id: first
    kind: choice
    level: senior
    concepts: [scaling]
    ask: Which one?
    options:
      - text: This one
        right: true
      - text: That one
        says: It is not.
    why: Because.
    sources: [vaswani2017]
  - id: second
    kind: number
    level: junior
    concepts: [scaling]
    ask: "{d} bytes?"
    given:
      d: [1, 2]
    answer: 3 * d
    unit: B
    tolerance: 1%
    traps:
      - gives: 2 * d
        says: Too few.
    why: Three times.
    sources: [vaswani2017]
  - id: third
    kind: open
    level: staff
    concepts: [scaling]
    ask: Why?
    points:
      - {id: one, says: First, accept: [variance]}
      - {id: two, says: Second, accept: [softmax]}
    model: The variance goes into the softmax.
    why: So.
    sources: [vaswani2017]
"""


def problems_of(path: Path) -> list[Problem]:
    """The problems of a bank that must not load."""
    with pytest.raises(ContentError) as caught:
        load_file(path, Bank)
    return caught.value.problems


def has(problems: list[Problem], line: int | None, field: str, phrase: str) -> bool:
    return any(p.line == line and p.field == field and phrase in p.message for p in problems)


# name: (text in GOOD, what replaces it, line, field, phrase of the message)
EDITS: dict[str, tuple[str, str, int, str, str]] = {
    "wrong type": ("title: A demo", "title: [a]", 3, "title", "is a list; write text"),
    "number for text": (
        "ask: Why?", "ask: 4", 37, "questions[2] (third).ask", 'quote it: "4"',
    ),
    "text for a list": (
        "concepts: [scaling]\n    ask: Which", "concepts: scaling\n    ask: Which",
        9, "questions[0] (first).concepts", "write a list",
    ),
    "list for a mapping": (
        "given:\n      d: [1, 2]", "given:\n      - [1, 2]", 23, "questions[1] (second).given",
        "write fields",
    ),
    "empty field": ("why: So.", "why:", 42, "questions[2] (third).why", "is empty; write text"),
    "unknown field": (
        "level: staff", "level: staff\n    levle: x", 36, "questions[2] (third).levle",
        "did you mean 'level'?",
    ),
    "field of another kind": (
        "level: staff", "level: staff\n    unit: B", 36, "questions[2] (third).unit",
        "is not a field here",
    ),
    "missing field": (
        "    why: Three times.\n", "", 18, "questions[1] (second).why", "write 'why: ...'",
    ),
    "missing kind": (
        "    kind: open\n", "", 33, "questions[2] (third).kind", "one of: choice, number",
    ),
    "bad kind": ("kind: open", "kind: opne", 34, "questions[2] (third).kind", "did you mean open?"),
    "bad level": (
        "level: staff", "level: expert", 35, "questions[2] (third).level",
        "one of: junior, senior, staff",
    ),
    "other format": ("format: 1", "format: 2", 1, "format", "is the number 2; write 1"),
    "bad id": ("id: third", "id: Third One", 33, "questions[2] (Third One).id", "lower-case"),
    "bad tolerance": (
        "tolerance: 1%", "tolerance: 0.01", 27, "questions[1] (second).tolerance", "quote it",
    ),
    "tolerance without percent": (
        "tolerance: 1%", "tolerance: 'one'", 27, "questions[1] (second).tolerance",
        "a percentage such as 1%",
    ),
    "too few points": (
        "      - {id: two, says: Second, accept: [softmax]}\n", "", 38,
        "questions[2] (third).points", "at least 2",
    ),
    "duplicate key": (
        "why: So.", "why: So.\n    level: junior", 43, "questions[2] (third).level",
        "is written twice, first in line 35",
    ),
    "duplicate key in flow": (
        "{id: one, says: First,", "{id: one, says: x, says: y,", 39,
        "questions[2] (third).points[0] (one).says", "is written twice",
    ),
    "duplicate id": (
        "id: third", "id: first", 33, "questions[2] (first).id", "already the id in line 6",
    ),
    "duplicate point": (
        "{id: two", "{id: one", 40, "questions[2] (third).points[1] (one).id", "in line 39",
    ),
    "no is false": ("ask: Why?", "ask: no", 37, "questions[2] (third).ask", 'quote it: "no"'),
    "yes is true": (
        "right: true", "right: yes", 13, "questions[0] (first).options[0].right", "or write true",
    ),
    "clock": ("ask: Why?", "ask: 12:30", 37, "questions[2] (third).ask", "the number 750"),
    "exponent": ("d: [1, 2]", "d: [1, 1e3]", 24, "questions[1] (second).given.d[1]", "1e3"),
    "on as a key": ("title: A demo", "title: A demo\non: x", 4, "", '"on"'),
    "number as a key": ("title: A demo", "title: A demo\n5: x", 4, "", "has the key '5'"),
    "list as a key": ("title: A demo", "title: A demo\n? [a]\n: x", 4, "", "not text"),
    "merge key": ("title: A demo", "title: A demo\n<<: {a: b}", 4, "<<", "merge key"),
    "anchor": ("ask: Why?", "ask: &a Why?", 37, "questions[2] (third).ask", "is an anchor"),
    "alias": ("ask: Why?", "ask: *a", 37, "questions[2] (third).ask", "is an alias"),
    "recursive alias": (
        "d: [1, 2]", "d: &d [1, *d]", 24, "questions[1] (second).given.d[1]", "is an alias",
    ),
    "python tag": (
        "ask: Why?", "ask: !!python/object/apply:os.system [id]", 37, "questions[2] (third).ask",
        "!!python/object/apply:os.system is a tag",
    ),
    "local tag": ("ask: Why?", "ask: !x Why?", 37, "questions[2] (third).ask", "is a tag"),
    "latex in double quotes": (
        "why: So.", 'why: "$\\theta$"', 42, "questions[2] (third).why", "use single quotes",
    ),
    "unknown escape": (
        "why: So.", 'why: "$\\sqrt{d}$"', 42, "questions[2] (third)", "use single quotes",
    ),
    "second document": ("  - id: third", "---\n  - id: third", 33, "", "second document"),
    "tab": ("    level: staff", "\tlevel: staff", 35, "questions[2] (third)", "with a tab"),
    "colon in text": (
        "ask: Why?", "ask: Why: so", 37, "questions[2] (third).ask", "quote the text",
    ),
    "wrong indent": (
        "    level: staff", "   level: staff", 35, "questions[2] (third)", "its indentation",
    ),
    "open bracket": (
        "concepts: [scaling]\n    ask: Why?", "concepts: [scaling\n    ask: Why?", 36,
        "questions[2] (third).concepts[0]", "not closed",
    ),
    "percent starts text": (
        "ask: Why?", "ask: %x", 37, "questions[2] (third)", "quote the text",
    ),
    "deep nesting": (
        "d: [1, 2]", "d: " + "[" * 5000 + "]" * 5000, 24,
        "questions[1] (second).given.d" + "[0]" * 16, "more than 20 deep",
    ),
    "long number": (
        "d: [1, 2]", "d: [" + "9" * 9000 + "]", 24, "questions[1] (second).given.d[0]", "digits",
    ),
    "long text": (
        "ask: Why?", "ask: " + "x" * 4001, 37, "questions[2] (third).ask", "at most 4000",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_bad_edit_is_named_with_its_line(name: str, tmp_path: Path) -> None:
    """Each fault is reported on its line, for its field, with what to write instead."""
    old, new, line, field, phrase = EDITS[name]
    assert GOOD.count(old) == 1
    path = tmp_path / "demo.yaml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    problems = problems_of(path)
    assert has(problems, line, field, phrase), "\n".join(map(str, problems))
    assert str(problems[0]).startswith(f"{path}:")


@pytest.mark.parametrize(
    ("content", "line", "phrase"),
    [
        (b"", 1, "is empty"),
        (b"# only a comment\n", 1, "is empty"),
        (b"just text\n", 1, "write fields"),
        (b"- a\n- b\n", 1, "is a list; write fields"),
        (GOOD[: GOOD.index("tions:")].encode(), 5, "cut off"),
        (GOOD[: GOOD.index("template:")].encode(), 1, "is missing"),
        (GOOD[: GOOD.index(' bytes?"')].encode(), 22, "cut off"),
        (GOOD.replace("Why?", "Warum, na\xefv?").encode("latin-1"), 37, "is not UTF-8 (byte 0xef)"),
        (GOOD.encode("utf-16"), 1, "UTF-16"),
        (GOOD.replace("Why?", "W\x00hy?").encode(), 37, "unprintable"),
        (GOOD.replace("Why?", "W\x1bhy?").encode(), 37, "unprintable"),
        (b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", 1, "is an anchor"),
        (b"\xef\xbb\xbf" + GOOD.replace("format: 1", "format: 3").encode(), 1, "write 1"),
    ],
)
def test_bad_file_is_named_with_its_line(
    content: bytes, line: int, phrase: str, tmp_path: Path
) -> None:
    """A file that is no bank as a whole says so where it stops being one."""
    path = tmp_path / "demo.yaml"
    path.write_bytes(content)
    problems = problems_of(path)
    assert any(p.line == line and phrase in p.message for p in problems), "\n".join(
        map(str, problems)
    )


def test_huge_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over the limit is refused by its size; opening it would fail this test."""
    path = tmp_path / "demo.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    assert MAX_BYTES < 50_000_000

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(Path, "open", opened)
    (problem,) = problems_of(path)
    assert "larger than 2 MB" in problem.message


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    """A folder, a missing file, a loop of links, a pipe: each gets a sentence of its own."""
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    through = tmp_path / "pipe.yaml" / "x.yaml"
    phrases = {
        tmp_path: "is a folder",
        tmp_path / "none.yaml": "no such file",
        loop: "cannot be read",
        pipe: "not a regular file",
        through: "cannot be read",
        tmp_path / ("x" * 300): "cannot be read",
        tmp_path / "nul\0.yaml": "is not a file name",
    }
    for path, phrase in phrases.items():
        (problem,) = problems_of(path)
        assert phrase in problem.message, path


def test_flood_of_problems_is_cut(tmp_path: Path) -> None:
    """A file that is wrong everywhere names the first problems and counts the rest."""
    path = tmp_path / "demo.yaml"
    path.write_text("".join(f"field{i}: no\n" for i in range(500)))
    problems = problems_of(path)
    assert len(problems) == MAX_PROBLEMS + 1
    assert "more problems are not shown" in problems[-1].message


def _mutated(text: str, dice: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    place = dice.randrange(len(lines))
    match dice.randrange(8):
        case 0:
            del lines[place]
        case 1:
            lines.insert(place, lines[dice.randrange(len(lines))])
        case 2:
            lines[place] = dice.choice([" ", "  ", "\t", "    "]) + lines[place]
        case 3:
            lines[place] = lines[place].lstrip()
        case 4:
            at = dice.randrange(len(lines[place]))
            odd = dice.choice(list("{}[]:,&*!|>'\"%@`#-?\\$\t\x00\x85é\u2028\ud7ff😀"))
            lines[place] = lines[place][:at] + odd + lines[place][at:]
        case 5:
            lines[place] = lines[place].replace(":", dice.choice(["", " :", ": no #", ": - "]), 1)
        case 6:
            return text[: dice.randrange(len(text))]
        case _:
            other = dice.randrange(len(lines))
            lines[place], lines[other] = lines[other], lines[place]
    return "".join(lines)


MUTATIONS = int(os.environ.get("QUIZPREP_FUZZ", "500"))
"""How many mutated banks are read; `make fuzz` reads 10,000."""


def test_any_mutation_loads_or_is_named(tmp_path: Path) -> None:
    """Whatever happens to a bank's text, it loads or ends in problems with lines and advice.

    What loads goes on: the content check finds nothing to say or says it, and never raises.
    """
    path = tmp_path / "demo.yaml"
    shipped = [path.read_text("utf-8") for path in (shipped_root() / "questions").glob("*.yaml")]
    loaded = refused = 0
    for seed in range(MUTATIONS):
        dice = random.Random(seed)
        text = GOOD if seed % 4 else dice.choice(shipped)
        for _ in range(dice.choice([1, 1, 3])):
            text = _mutated(text, dice) or text
        path.write_text(text, encoding="utf-8")
        problems: list[Problem] | None = None
        try:
            load_file(path, Bank)
        except ContentError as error:
            problems = error.problems
        if problems is None:
            loaded += 1
            check_banks(Library(tmp_path))
            continue
        refused += 1
        lines = text.count("\n") + text.count("\x85") + text.count("\u2028") + 1
        assert problems, seed
        assert all(p.message and 1 <= (p.line or 0) <= lines for p in problems), seed
    assert min(loaded, refused) > 20


def test_broken_library_names_every_file(tmp_path: Path) -> None:
    """Problems are gathered over all files, and a broken file does not hide another's."""
    folder = tmp_path / "questions"
    folder.mkdir()
    (folder / "demo.yaml").write_text(GOOD)
    (folder / "broken.yaml").write_text("format: [")
    (folder / "sources.yaml").write_text("vaswani2017: {year: no}")
    (folder / "concepts.yaml").write_text("scaling: {title: The scale}\n")
    exercise = tmp_path / "exercises" / "x"
    exercise.mkdir(parents=True)
    (exercise / "exercise.yaml").write_text("format: 1\n")
    library = Library(tmp_path)
    files = {Path(problem.file).name for problem in load_library_problems(library)}
    assert files == {"concepts.yaml", "sources.yaml", "broken.yaml", "exercise.yaml"}
    assert check_banks(library) == []
