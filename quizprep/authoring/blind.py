"""How true verdicts are on submissions that nobody wrote who knew the grader.

A folder of blind submissions has a folder for each exercise. Its files are ``right_1.py``,
``<mistake>__1.py`` for a known mistake, and ``other_1.py`` for one that is not listed. The first
line of a wrong one says where it is: ``# slip: line 14``, ``# slip: lines 12, 15``, or ``# slip:
after line 12`` where something is missing. Numbers that are even only measure: nothing may be
improved on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from quizprep.content.library import Library
from quizprep.errors import UsageError
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool
from quizprep.grading.verdict import Verdict

_NAME = re.compile(r"(?P<label>right|other|\w+?_)_(?P<number>\d+)\.py")
_SLIP = re.compile(r"# slip: (?:after )?lines? ([\d, ]+)")
SEED = 4242
ADJACENT = 1
"""Lines between a slip and the line that is told, at most: a thing that is missing after one line
may be put into the next."""

OBSERVED = (
    "lanes_without_an_element",
    "strides_not_used",
    "data_race",
    "masked_lanes_undefined",
    "tf32_by_default",
    "order_of_programs",
)
"""Names for what a kernel was seen to do, which say as much as a mistake with the same concept."""


@dataclass(frozen=True)
class Blind:
    """One submission: ``label`` is ``right``, ``other`` or the id of a mistake; ``lines`` are those
    of its slip, if it says so."""

    exercise: str
    label: str
    number: int
    path: Path
    lines: frozenset[int]

    @property
    def measures(self) -> bool:
        """Whether it only measures."""
        return self.number % 2 == 0


def blind_submissions(folder: Path) -> tuple[Blind, ...]:
    """Every submission of a folder; raises UsageError if there is none."""
    found = []
    for path in sorted(folder.glob("*/*.py")):
        name = _NAME.fullmatch(path.name)
        if name is None:
            continue
        slip = _SLIP.match(path.read_text(encoding="utf-8"))
        lines = frozenset(map(int, re.findall(r"\d+", slip[1]))) if slip else frozenset()
        label = name["label"].removesuffix("_")
        found.append(Blind(path.parent.name, label, int(name["number"]), path, lines))
    if not found:
        raise UsageError(f"{folder} has no blind submissions.", hint="See tests/blind/README.md.")
    return tuple(found)


@dataclass(frozen=True)
class Tally:
    """Counts of submissions.

    located  the line of the slip, or the one beside it, is among those that are told
    """

    right: int = 0
    false_fails: int = 0
    wrong: int = 0
    false_passes: int = 0
    listed: int = 0
    named: int = 0
    wrongly_named: int = 0
    located: int = 0
    wrongly_located: int = 0

    def __add__(self, other: Tally) -> Tally:
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Tally(*(one + two for one, two in pairs))


def tallies(
    library: Library, submissions: Sequence[Blind], pool: Pool, search: float = 1.0
) -> Iterator[tuple[Blind, Tally]]:
    """Every submission with what its verdict counts for, as they are graded. ``search`` is the
    budget of the search for a line, as in `Grader`."""
    grader = Grader(pool, search=search)
    concepts: dict[str, dict[str, str]] = {}
    for blind in submissions:
        exercise = library.exercise(blind.exercise)
        if exercise.id not in concepts:
            described = pool.nursery(exercise.spec.runtime).describe(str(exercise.folder))
            concepts[exercise.id] = described.concepts
        submission = Submission(blind.path.name, blind.path.read_bytes())
        verdict = grader.grade(exercise, submission, seed=SEED)
        yield blind, tally(blind, verdict, concepts[exercise.id])


def tally(blind: Blind, verdict: Verdict, concepts: Mapping[str, str]) -> Tally:
    """What one verdict counts for. ``concepts`` has the concept of each mistake of the exercise."""
    if blind.label == "right":
        return Tally(right=1, false_fails=not verdict.passed)
    names = {mistake.id for mistake in verdict.mistakes}
    listed = blind.label in concepts
    seen = {m.concept for m in verdict.mistakes if m.id in OBSERVED}
    named = listed and (blind.label in names or concepts[blind.label] in seen)
    slip = verdict.stage("diagnosis").slip
    told = {slip.line, *slip.also} if slip is not None else set()
    near = any(abs(line - one) <= ADJACENT for line in blind.lines for one in told)
    return Tally(
        wrong=1,
        false_passes=verdict.passed,
        listed=listed,
        named=named,
        wrongly_named=bool(names) and listed and not named,
        located=bool(told) and near,
        wrongly_located=bool(told) and bool(blind.lines) and not near,
    )


def blind_text(graded: Sequence[tuple[Blind, Tally]]) -> str:
    """The section of the page of evidence."""
    return "\n".join([_HEADER, *_rows(graded), ""])


_HEADER = """\
## Blind submissions

Written from READMEs, starters and the list of mistakes alone, without sight of grader, reference or
solution; `tests/blind/README.md` tells how. Those with an even number only measure. *Named*: the
listed mistake was named. *Located*: the line that was told, or one beside it, is that of the slip.

| exercise | right | false fails | wrong | false passes | listed | named | wrongly named | located \
| wrongly located |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"""


def _rows(graded: Sequence[tuple[Blind, Tally]]) -> Iterator[str]:
    for name in sorted({blind.exercise for blind, _ in graded}):
        yield _row(name, [each for blind, each in graded if blind.exercise == name])
    yield _row("**those that only measure**", [each for blind, each in graded if blind.measures])
    yield _row("**all**", [each for _, each in graded])


def _row(name: str, each: Sequence[Tally]) -> str:
    total = sum(each, Tally())
    return f"| {name} | {' | '.join(str(getattr(total, f.name)) for f in fields(Tally))} |"
