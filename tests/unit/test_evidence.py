"""The page of evidence says what was proved, what was left out and what survived."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprep.authoring.evidence import evidence_text, with_section
from quizprep.authoring.exercise_proof import Evidence, MutantCount
from quizprep.authoring.mutants import Mutant
from quizprep.content.library import Library, shipped_root

LIBRARY = Library(shipped_root())
SURVIVOR = Mutant(7, "x = a + b", "a + b", "a - b", "")


def proved(name: str, *survived: Mutant) -> Evidence:
    return Evidence(
        name,
        singles=6,
        told_apart=14,
        alike=["one + other = one"],
        formulas={"flops": "4*n"},
        mutants=MutantCount(killed=16, equivalent=2, survived=survived),
    )


def test_exercises_are_in_one_order_with_their_sum() -> None:
    """In whatever order they were proved, the page is the same; the last row adds up."""
    one, other = proved("softmax"), proved("attention")
    text = evidence_text(LIBRARY, [one, other])
    assert text == evidence_text(LIBRARY, [other, one])
    assert text.index("| attention | 6 | 14 | 1 | 0 | 16 | 2 | 0 |") < text.index("| softmax | 6 ")
    assert "| **all** | 12 | 28 | 2 | 0 | 32 | 4 | 0 |" in text


def test_what_was_left_out_is_said() -> None:
    """A page of some exercises names the others."""
    text = evidence_text(LIBRARY, [proved("softmax")])
    scope = text[: text.index("- **Mistakes**")]
    assert all(name in scope for name in LIBRARY.exercise_ids if name != "softmax")


def test_a_survivor_is_shown() -> None:
    """A mutant that passes for no known reason is counted and told with its line."""
    text = evidence_text(LIBRARY, [proved("softmax", SURVIVOR)])
    assert "| softmax | 6 | 14 | 1 | 0 | 16 | 2 | 1 |" in text
    assert "line 7: `a + b -> a - b`" in text


@pytest.mark.parametrize("flags", [[], ["--mutants", "--quick"], ["--mutants", "--banks"]])
def test_half_an_evidence_is_refused(flags: list[str], tmp_path: Path) -> None:
    """Without mutants or pairs there is no page: exit code 2, a hint, and no file."""
    page = tmp_path / "evidence.md"
    command = [sys.executable, "-m", "quizprep", "check", *flags, "--evidence", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--mutants" in done.stderr
    assert not page.exists()


def test_a_pair_without_a_name_is_listed() -> None:
    """Pairs that several explanations fit stand under their own heading, and only where any are."""
    one = proved("softmax")
    assert "Unnamed:" not in evidence_text(LIBRARY, [one])
    one.unnamed.append("one + other")
    assert "Unnamed:\n\n- one + other\n" in evidence_text(LIBRARY, [one])


BODIES = st.text(st.characters(codec="ascii", categories=["L", "Zs"]), max_size=20)


@settings(max_examples=10)
@given(BODIES, BODIES)
def test_a_section_is_replaced_where_it_stands(old: str, new: str) -> None:
    """A page with another text of one section is the page made with that text; a page without
    the section gets it where it would have been made."""
    bare = evidence_text(LIBRARY, [proved("softmax")])
    before, after = (f"## Open answers\n\n{body.strip()}\n" for body in (old, new))
    made = evidence_text(LIBRARY, [proved("softmax")], after)
    assert with_section(evidence_text(LIBRARY, [proved("softmax")], before), after) == made
    assert with_section(bare, after) == made


def test_a_page_without_sections_gets_its_first() -> None:
    """A page that was never made by us keeps its text, and the section goes behind it."""
    assert with_section("# Evidence\n", "## Open answers\n\nWell.") == (
        "# Evidence\n## Open answers\n\nWell.\n"
    )
