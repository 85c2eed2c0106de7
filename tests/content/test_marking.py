"""Every rule of marking is a row of ``marking.yaml``; ``docs/marking.md`` is made of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Open, Question
from quizprep.quiz.marking import Invalid, Mark, mark, match_open
from quizprep.quiz.presented import present
from tests.conftest import Golden
from tests.unit.questions import question

ROOT = Path(__file__).parents[2]
LIBRARY = Library(shipped_root())
KINDS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("marking.yaml").read_text(encoding="utf-8")
)
NAMES = {1.0: "right", 0.75: "nearly", 0.5: "half", 0.25: "a quarter"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "number": {"answer": "1"},
    "cloze": {"ask": "___"},
    "code": {"snippet": "print(1)"},
}
HEADER = """# Marking

How replies are marked, kind by kind. This page is made of the rows of `tests/content/marking.yaml`,
each of which is a test; `pytest tests/content/test_marking.py --update-golden` writes it.

right is the full mark, nearly 75 %, half 50 %; a trap is worth nothing, or what its right part is
worth, and is named; unread costs nothing, and says what to type.
"""


def asked(row: dict[str, Any], kind: str) -> Question:
    """The question of a row, from the banks or made for it."""
    if "bank" in row:
        return LIBRARY.questions[row["bank"]][1]
    made: Question = question(kind, **{**DEFAULTS.get(kind, {}), **row["question"]})
    return made


def name(result: Mark | Invalid) -> str:
    """The word for a mark in the tables."""
    if isinstance(result, Invalid):
        return "unread"
    if result.trap is not None:
        return "trap"
    return NAMES.get(result.score, "partly" if result.score else "wrong")


def marks() -> Iterator[tuple[str, Question, str, str]]:
    """Each kind, question, reply and the mark that it gets."""
    for kind in KINDS:
        for row in kind.get("rows", ()):
            for reply, wanted in row["marks"].items():
                yield kind["kind"], asked(row, kind["kind"]), str(reply), wanted


@pytest.mark.parametrize(("kind", "each", "reply", "wanted"), list(marks()))
def test_a_reply_is_marked_as_the_table_says(
    kind: str, each: Question, reply: str, wanted: str
) -> None:
    """Options and steps are shown as listed, and the first draw of numbers is asked."""
    values = present("t", each, 0).values
    result = mark(each, values, reply)
    assert name(result) == wanted, (kind, reply, result)


@pytest.mark.parametrize(
    ("each", "text", "wanted"),
    [
        (asked(row, "open"), text, wanted)
        for kind in KINDS
        for row in kind.get("heard", ())
        for text, wanted in row["texts"].items()
    ],
)
def test_a_spoken_sentence_is_heard_as_the_table_says(
    each: Open, text: str, wanted: list[str]
) -> None:
    """The points that it makes, and its wrong claims by number."""
    assert heard(each, text) == sorted(wanted)


def heard(each: Open, text: str) -> list[str]:
    """Ids of the points that are heard, and ``wrong N`` for the claims."""
    match = match_open(each, text)
    claims = [f"wrong {each.wrong.index(claim)}" for claim in match.wrong_claims]
    return sorted([*(point.id for point in match.covered), *claims])


def test_the_page_on_marking_is_current(golden: Golden) -> None:
    """docs/marking.md holds each rule and each row."""
    golden(ROOT / "docs" / "marking.md", page())


def page() -> str:
    """The text of docs/marking.md."""
    parts = [HEADER]
    for kind in KINDS:
        parts.append(f"## {kind['title']}\n")
        parts.append("".join(f"- {rule}\n" for rule in kind["says"]))
        parts.append("\n".join(["| asked | reply | mark |", "|---|---|---|", *table(kind)]) + "\n")
    return "\n".join(parts)


def table(kind: dict[str, Any]) -> Iterator[str]:
    """The rows of a kind's table."""
    for row in kind.get("rows", ()):
        shown = right(asked(row, kind["kind"]), row)
        for reply, wanted in row["marks"].items():
            yield f"| {shown} | {code(str(reply))} | {wanted} |"
    for row in kind.get("heard", ()):
        for text, wanted in row["texts"].items():
            words = [said(asked(row, "open"), item) for item in wanted]
            yield f"| {code(row['bank'])} | {text} | {'; '.join(words) or 'nothing'} |"


def said(each: Question, item: str) -> str:
    """A point by its id, a wrong claim by what is told about it."""
    assert isinstance(each, Open)
    if not item.startswith("wrong "):
        return item
    return f"a wrong claim: {each.wrong[int(item.removeprefix('wrong '))].says.strip()}"


def right(each: Question, row: dict[str, Any]) -> str:
    """What was asked, in a few words: the question's id, or its answer."""
    if "bank" in row:
        return code(row["bank"])
    fields = row["question"]
    match each.__class__.__name__:
        case "Number":
            exact = ", exactly" if fields["tolerance"] == "0%" else ""
            unit = f" in base units, asked in {fields['unit']}" if fields.get("unit") else ""
            return f"{code(fields['answer'])}{unit}{exact}"
        case "Choice":
            places = [i for i, option in enumerate(fields["options"]) if option.get("right")]
            letters = "".join(chr(97 + place) for place in places)
            return f"{letters} of {len(fields['options'])}"
        case "Order":
            return "a, then b and c in any order, then d"
        case "Cloze":
            return code(fields["accept"][0])
    return code(fields["prints"])


def code(text: str) -> str:
    """A text as code in a table; an empty one as a word."""
    return f"`{text}`".replace("|", "\\|") if text else "(nothing)"
