"""The failing cases of a submission, by how they fail and when.

One slip must not hide another: code that is right in float32 only raises in bfloat16, and a wrong
mask shows in the other cases. So each kind of failure is told by itself, with the condition under
which it occurs.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from quizprep.grading.verdict import CaseResult, Cause, Raised, Symptom
from quizprep.grading.wire import Case
from quizprep.worker.judge.conditions import ALWAYS, HALVES, condition
from quizprep.worker.judge.error_location import Detail

NO_VALUES = {Symptom.RAISED, Symptom.ENDED, Symptom.REFUSED, Symptom.RETURNED}
"""Failures that leave no values, so that nothing is known of them."""


@dataclass(frozen=True)
class Failure:
    """How one case failed. ``detail`` is how much its message says; kind and line are those of an
    exception."""

    symptom: Symptom
    detail: Detail = Detail.NOTHING
    kind: str = ""
    line: int = 0

    @staticmethod
    def of(symptom: Symptom, detail: Detail, raised: Raised | None) -> Failure:
        """A failure with the exception that it came with, if any."""
        if raised is None:
            return Failure(symptom, detail)
        line = raised.frames[-1].line if raised.frames else 0
        return Failure(symptom, detail, raised.kind, line)

    @property
    def cause(self) -> Hashable:
        """Equal for failures of one cause."""
        return self.symptom, self.kind, self.line


def causes(
    cases: Sequence[Case], results: Sequence[CaseResult], failures: Sequence[Failure | None]
) -> tuple[Cause, ...]:
    """The causes of all failures, those of most cases first. ``results`` and ``failures`` have an
    entry for each case that was completed; a failure is None if the case passed."""
    if any(failure and failure.symptom is Symptom.RANDOM for failure in failures):
        failures = [_random(failure) for failure in failures]
    groups: dict[Hashable, dict[int, Failure]] = {}
    for place, failure in enumerate(failures):
        if failure is not None:
            groups.setdefault(failure.cause, {})[place] = failure
    found = []
    for group in groups.values():
        first = next(iter(group.values()))
        found.append(
            Cause(
                symptom=first.symptom,
                cases=len(group),
                when=_when(cases, failures, set(group), first.symptom),
                shown=results[max(group, key=lambda place: _telling(cases[place], group[place]))],
                line=first.line,
            )
        )
    return tuple(sorted(found, key=lambda cause: -cause.cases))


def _random(failure: Failure | None) -> Failure | None:
    """The failure of a submission that was seen to be random: that explains wrong values too. They
    say less than the case in which it was seen."""
    if failure is None or failure.symptom in NO_VALUES:
        return failure
    detail = Detail.FACTOR if failure.symptom is Symptom.RANDOM else Detail.NOTHING
    return Failure(Symptom.RANDOM, detail)


def _telling(case: Case, failure: Failure) -> tuple[Detail, bool, bool]:
    """How well a case shows its cause: by what its message says, then by how plain it is."""
    plain = case.layout == "contiguous" and case.magnitude == 1
    return failure.detail, case.dtype not in HALVES, plain


def _when(
    cases: Sequence[Case],
    failures: Sequence[Failure | None],
    failing: set[int],
    symptom: Symptom,
) -> str:
    """The condition of a failure, as the end of a sentence that counts its cases."""
    others = {place for place in range(len(failures)) if place not in failing}
    if symptom not in NO_VALUES:
        # A case that raised might have had the same wrong values.
        others = {p for p in others if (f := failures[p]) is None or f.symptom not in NO_VALUES}
    passing = {place for place in others if failures[place] is None}
    found = condition(cases, failing, others) or condition(cases, failing, passing)
    if found is None:
        return ""
    if found is ALWAYS:
        return "always"
    return f"{'exactly' if found.exact else 'only'} when {found.says}"
