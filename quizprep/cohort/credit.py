"""Partial credit: a small YAML file says what a stage is worth.

    format: 1
    points: 10                # of an exercise that passes
    exercises:                # other points for some
      kv_cache: 20
    stages:                   # shares of the points
      load: 1
      correctness: 6
      cost: 3
    mistake_named: 2          # a share for a wrong answer whose mistake is a known one

Without such a file an exercise that passes gives one point, and any other none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from quizprep.content.loading import load_file, placed
from quizprep.content.questions import Content
from quizprep.errors import ContentError
from quizprep.grading.verdict import Verdict

_Points = Annotated[float, Meta(ge=0, le=1e6)]


class Credit(Content, frozen=True, kw_only=True):
    """A rule.

    points         points of an exercise that passes
    exercises      points of single exercises, by id
    stages         the share of each stage that passes; none: all or nothing
    mistake_named  the share for an answer that is wrong in a way that the exercise knows; it is
                   given only where correctness fails
    """

    format: Literal[1]
    points: _Points = 1
    exercises: dict[str, _Points] = field(default_factory=dict)
    stages: dict[Literal["load", "correctness", "cost"], _Points] = field(default_factory=dict)
    mistake_named: _Points = 0

    def maximum(self, exercise: str) -> float:
        """The points of an exercise that passes."""
        return self.exercises.get(exercise, self.points)

    def points_of(self, exercise: str, verdict: Verdict | None) -> float:
        """The points of a verdict; what is missing, or could not be graded, has none."""
        if verdict is None or verdict.faulty:
            return 0.0
        full = self.maximum(exercise)
        if verdict.passed:
            return full
        total = sum(self.stages.values())
        if not total:
            return 0.0
        share = sum(
            part for name, part in self.stages.items() if verdict.stage(name).status == "pass"
        )
        if verdict.mistakes and verdict.stage("correctness").status == "fail":
            share += self.mistake_named
        return round(full * min(share, total) / total, 4)


ALL_OR_NOTHING = Credit(format=1)


def load_credit(path: Path | None, exercises: tuple[str, ...]) -> Credit:
    """The rule of a file; raises ContentError, also for an exercise that there is not."""
    if path is None:
        return ALL_OR_NOTHING
    credit = load_file(path, Credit)
    unknown = [name for name in credit.exercises if name not in exercises]
    if unknown:
        findings = [(("exercises", name), "there is no such exercise") for name in unknown]
        raise ContentError(placed(path, findings))
    return credit
