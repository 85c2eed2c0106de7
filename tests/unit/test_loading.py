"""Loading: values as written, lines as in the file, and every fault at once."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.exercises import ExerciseSpec
from quizprep.content.library import Library, shipped_root
from quizprep.content.loading import load_file
from quizprep.content.questions import Bank, Concept, Source
from quizprep.content.typecheck import mismatches
from quizprep.content.yaml_tree import Mapping, Sequence, Tree, read_tree
from quizprep.errors import ContentError

plain_text = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=20)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=12,
)


def _without_ids(value: Any) -> bool:
    """Whether no two items of one list have the same id, which a content file must not have."""
    return "is already the id" not in "".join(
        f.message for f in read_tree(json.dumps(value)).faults
    )


@given(documents.filter(_without_ids))
def test_json_reads_back(value: Any) -> None:
    """JSON without control characters is YAML, and its values come out as they went in."""
    tree = read_tree(json.dumps(value, ensure_ascii=False))
    assert tree.faults == ()
    assert tree.root == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("17", 17),
        ("-4", -4),
        ("0", 0),
        ("0.5", 0.5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("n", "n"),
        ("y", "y"),
        ("1 of 3", "1 of 3"),
        ("2 * layers", "2 * layers"),
        ("n**2", "n**2"),
        ("1%", "1%"),
        ("v1.2.3", "v1.2.3"),
        ("'no'", "no"),
        ('"1e3"', "1e3"),
        ("nothing", "nothing"),
        ("one: 'x'", {"one": "x"}),
    ],
)
def test_plain_scalars(written: str, value: object) -> None:
    """What every YAML reader takes alike is taken so."""
    tree = read_tree(f"key: {written}\n" if ":" not in written else written)
    assert tree.faults == ()
    assert tree.root == (value if isinstance(value, dict) else {"key": value})


@pytest.mark.parametrize(
    ("written", "phrase"),
    [
        ("no", "means false"),
        ("Yes", "means true"),
        ("on", "means true"),
        ("OFF", "means false"),
        ("12:30", "the number 750"),
        ("1:30:00.5", "the number 5400.5"),
        ("1e3", "text to some YAML readers"),
        ("1.5E-3", "text to some YAML readers"),
        ("2024-01-31", "is a date"),
        ("017", "not read alike"),
        ("0o17", "not read alike"),
        ("0x1F", "not read alike"),
        ("0b11", "not read alike"),
        ("1_000", "not read alike"),
        ("+5", "not read alike"),
        (".5", "not read alike"),
        ("5.", "not read alike"),
        (".inf", "not read alike"),
        ("-.INF", "not read alike"),
        (".NaN", "not read alike"),
        ("1" * 5000, "more than 40 digits"),
    ],
)
def test_surprising_scalars_are_refused(written: str, phrase: str) -> None:
    """What YAML readers take differently is a fault that shows how to quote it."""
    (fault,) = read_tree(f"a: 1\nkey:\n  - {written}\n").faults
    assert phrase in fault.message
    assert (fault.line, fault.steps) == (3, ("key", 0))
    assert "quote it" in fault.message or "digits" in fault.message


@pytest.mark.parametrize("written", ["no", "12:30", "1e3", "017"])
def test_surprising_keys_are_refused(written: str) -> None:
    """A key is text; one that some reader takes for something else is a fault too."""
    (fault,) = read_tree(f"a: 1\n{written}: 2\n").faults
    assert fault.line == 2


def test_lines_are_those_of_the_file() -> None:
    """Every key and item knows the line it begins on; a missing one, that of its owner."""
    tree = read_tree(
        "a: 1\n\n# note\nb:\n  - x\n  - c: >\n      long\n      text\n    d: [1,\n  2]\n"
    )
    lines = {
        ("a",): 1,
        ("b",): 4,
        ("b", 0): 5,
        ("b", 1): 6,
        ("b", 1, "c"): 6,
        ("b", 1, "d"): 9,
        ("b", 1, "d", 1): 10,
        ("b", 1, "missing"): 6,
        ("missing",): 1,
    }
    assert {steps: tree.line(steps) for steps in lines} == lines


def test_fields_are_named_in_words() -> None:
    """A field shows the way to it, with the id of the items it lies in."""
    tree = read_tree("questions:\n  - id: one\n    points: [{id: p, says: x}]\n")
    steps = ("questions", 0, "points", 0, "says")
    assert tree.field(steps) == "questions[0] (one).points[0] (p).says"


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    """Scalars, keys, types and missing fields of one file are reported together, by line."""
    path = tmp_path / "demo.yaml"
    path.write_text(
        "format: 2\ntopic: demo\ntopic: other\ntitle: no\ntemplate: text\nquestions:\n"
        "  - id: a\n    kind: choice\n    levl: senior\n    options: none\n"
    )
    with pytest.raises(ContentError) as caught:
        load_file(path, Bank)
    places = [(problem.line, problem.field) for problem in caught.value.problems]
    assert places == sorted(places, key=lambda place: place[0] or 0)
    assert {
        (1, "format"),
        (3, "topic"),
        (4, "title"),
        (9, "questions[0] (a).levl"),
        (10, "questions[0] (a).options"),
        (7, "questions[0] (a).ask"),
        (7, "questions[0] (a).level"),
    } <= set(places)


def _mutated(value: Any, dice: random.Random) -> Any:
    """A copy of a tree with one thing changed somewhere."""
    if isinstance(value, Mapping) and value and dice.random() < 0.9:
        name = dice.choice(list(value))
        copy = Mapping(value.line)
        copy.update(value)
        copy.lines.update(value.lines)
        match dice.randrange(6):
            case 0:
                del copy[name]
            case 1:
                copy["extra"], copy.lines["extra"] = 1, value.line
            case _:
                copy[name] = _mutated(value[name], dice)
        return copy
    if isinstance(value, Sequence) and value and dice.random() < 0.9:
        place = dice.randrange(len(value))
        items = Sequence(value.line)
        items.extend(value)
        items.lines.extend(value.lines)
        if dice.random() < 0.2:
            items.clear()
        else:
            items[place] = _mutated(items[place], dice)
        return items
    return dice.choice(
        [
            None,
            True,
            -1,
            3,
            2.5,
            "",
            "word",
            "no such id!",
            "7%",
            Sequence(1),
            Mapping(1),
            "x" * 5000,
        ]
    )


FILES: list[tuple[str, Any]] = [
    ("scaling.yaml", Bank),
    ("kv-cache.yaml", Bank),
    ("concepts.yaml", dict[str, Concept]),
    ("sources.yaml", dict[str, Source]),
]


@pytest.mark.parametrize(("name", "kind"), FILES)
def test_the_walk_agrees_with_msgspec(name: str, kind: Any) -> None:
    """The friendly walk finds something wrong if and only if the strict conversion does."""
    text = (shipped_root() / "questions" / name).read_text(encoding="utf-8")
    root = read_tree(text).root
    assert mismatches(Tree(root, ()), kind) == []
    refused = 0
    for seed in range(150):
        tree = Tree(_mutated(root, random.Random(seed)), ())
        try:
            msgspec.convert(tree.root, kind, strict=True)
            converts = True
        except msgspec.ValidationError:
            converts = False
        assert (mismatches(tree, kind) == []) is converts, seed
        refused += not converts
    assert refused > 30


def test_the_walk_agrees_with_msgspec_on_exercises() -> None:
    """The same for exercise files, whose type has unions of scalars and nested mappings."""
    library = Library(shipped_root())
    for name in library.exercise_ids:
        text = (library.root / "exercises" / name / "exercise.yaml").read_text(encoding="utf-8")
        root = read_tree(text).root
        for seed in range(100):
            tree = Tree(_mutated(root, random.Random(seed)), ())
            try:
                msgspec.convert(tree.root, ExerciseSpec, strict=True)
                converts = True
            except msgspec.ValidationError:
                converts = False
            assert (mismatches(tree, ExerciseSpec) == []) is converts, (name, seed)
