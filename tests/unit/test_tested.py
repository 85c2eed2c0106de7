"""Every README says what is tested, in a section that is written out of exercise.yaml."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from quizprep.authoring import tested
from quizprep.content.library import Library, shipped_root
from tests.unit.jobs import SPEC

LIBRARY = Library(shipped_root())


@pytest.mark.parametrize("name", LIBRARY.exercise_ids)
def test_readme_says_what_is_tested(name: str) -> None:
    """The section is what exercise.yaml makes of it, and every option is told of in words."""
    exercise = LIBRARY.exercise(name)
    assert not [*tested.tested_problems(exercise), *tested.untold_options(exercise)]


@pytest.mark.parametrize("name", LIBRARY.exercise_ids)
def test_every_dtype_and_size_is_named(name: str) -> None:
    """Nothing that a case may have is missing: dtypes, sizes, magnitudes, single cases."""
    spec = LIBRARY.exercise(name).spec
    text = tested.tested_section(spec)
    assert all(dtype in text for dtype in spec.cases.dtypes)
    assert all(f"`{size}`" in text for size in spec.cases.sizes)
    assert all(f"{factor:g} times" in text for factor in spec.cases.magnitudes if factor != 1)
    assert all(f"`{k}={v}`" in text for extra in spec.cases.extra for k, v in extra.items())
    assert all(len(line) <= 90 for line in text.splitlines())


@pytest.mark.parametrize(
    "readme",
    [
        "# X\n\n## Task\n\nWrite it.\n",
        "# X\n\n## Contract\n\n- Right.\n\n## What an interviewer asks about it\n\n- Why?\n",
        "# X\n\n## What is tested\n\nNothing.\n\n## Read more\n\n- A book.\n",
        "# X\n\n## What is tested\n\nNothing.\n",
    ],
)
def test_the_section_is_written_once(readme: str) -> None:
    """A second writing changes nothing, and the rest of the README stays as it was."""
    section = tested.tested_section(SPEC)
    once = tested.with_section(readme, section)
    assert once.count("## What is tested") == 1
    assert section in once
    assert tested.with_section(once, section) == once
    assert [line for line in readme.splitlines() if line.startswith("## ")] == [
        line
        for line in once.splitlines()
        if line.startswith("## ") and (line != "## What is tested" or line in readme)
    ]


def test_a_new_condition_shows() -> None:
    """An option that nobody tells of, and a dtype that the README lacks, are problems."""
    exercise = LIBRARY.exercise("causal_mask")
    cases = exercise.spec.cases
    changed = msgspec.structs.replace(cases, options={"odd": (True, False)}, dtypes=("float64",))
    spec = msgspec.structs.replace(exercise.spec, cases=changed)
    odd = dataclasses.replace(exercise, spec=spec)
    assert [problem.field for problem in tested.untold_options(odd)] == ["cases.says"]
    assert [problem.field for problem in tested.tested_problems(odd)] == ["## What is tested"]
