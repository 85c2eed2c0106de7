"""The results of a group as one frozen value, from which every format is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace

from quizprep.cohort.credit import Credit
from quizprep.cohort.submissions import Refused
from quizprep.grading.verdict import STAGES, NamedMistake, Verdict

TRIES_OF_A_STUCK_ONE = 3
"""From this many different versions on, none of which passes, a student counts as stuck."""
ENOUGH_TO_JUDGE = 5
"""An exercise is called hard only if at least this many handed it in and fewer than half passed."""


@dataclass(frozen=True)
class Entry:
    """What a student has for one exercise.

    verdict   None if the grader itself failed; the next run tries again
    versions  how many different submissions were seen over all runs
    """

    student: str
    exercise: str
    verdict: Verdict | None
    points: float
    versions: int

    @property
    def passed(self) -> bool:
        return self.verdict is not None and self.verdict.passed

    @property
    def status(self) -> str:
        """``passed``, the stage that failed (load, correctness or cost), or ``not graded``."""
        if self.verdict is None:
            return "not graded"
        if self.verdict.passed:
            return "passed"
        failed = (each.name for each in self.verdict.stages if each.status == "fail")
        return next(failed, "not graded")

    @property
    def mistakes(self) -> tuple[NamedMistake, ...]:
        return () if self.verdict is None else self.verdict.mistakes

    @property
    def reason(self) -> str:
        """The failure in one sentence; empty if it passed."""
        if self.verdict is None:
            return "The grader itself failed; run the command again."
        if self.mistakes:
            return " ".join(f"{mistake.id}: {mistake.says}" for mistake in self.mistakes)
        diagnosis = self.verdict.stage("diagnosis")
        if diagnosis.where:
            return diagnosis.where
        for stage in self.verdict.stages:
            if stage.status == "fail":
                if stage.raised is not None:
                    return f"{stage.raised.kind}: {stage.raised.message}"
                texts = (r.message for r in stage.readings if r.status == "fail")
                return stage.message or next(texts, stage.name)
        return ""


@dataclass(frozen=True)
class ExerciseStanding:
    """How the group did in one exercise.

    mistakes  how many made each, the most frequent first
    costs     for each meter, how many solutions that pass have which formula
    stages    how many submissions fail in which stage
    """

    id: str
    title: str
    entries: tuple[Entry, ...]

    @property
    def passed(self) -> int:
        return sum(entry.passed for entry in self.entries)

    @property
    def hard(self) -> bool:
        """Whether fewer than half of those who handed it in passed."""
        return len(self.entries) >= ENOUGH_TO_JUDGE and 2 * self.passed < len(self.entries)

    @cached_property
    def mistakes(self) -> list[tuple[NamedMistake, int]]:
        named = Counter(mistake for entry in self.entries for mistake in entry.mistakes)
        return sorted(named.items(), key=lambda item: (-item[1], item[0].id))

    @cached_property
    def stages(self) -> dict[str, int]:
        counts = Counter(entry.status for entry in self.entries if not entry.passed)
        return {name: counts[name] for name in (*STAGES, "not graded") if counts[name]}

    @cached_property
    def costs(self) -> dict[str, list[tuple[str, int]]]:
        counts: dict[str, Counter[str]] = {}
        for entry in self.entries:
            if entry.verdict is None or not entry.passed:
                continue
            for reading in entry.verdict.stage("cost").readings:
                formula = reading.formula or (f"O({reading.growth})" if reading.growth else "")
                if formula and reading.required:
                    counts.setdefault(reading.meter.title, Counter())[formula] += 1
        return {meter: formulas.most_common() for meter, formulas in counts.items()}


@dataclass(frozen=True)
class StudentStanding:
    """What one student has."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def points(self) -> float:
        return round(sum(entry.points for entry in self.entries), 4)

    @property
    def passed(self) -> int:
        return sum(entry.passed for entry in self.entries)

    @property
    def stuck(self) -> list[Entry]:
        """Exercises handed in several times, none of which passes as it is now."""
        return [e for e in self.entries if not e.passed and e.versions >= TRIES_OF_A_STUCK_ONE]

    def entry(self, exercise: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.exercise == exercise), None)


@dataclass(frozen=True)
class Standing:
    """The whole group.

    credit    the rule behind the points
    program   the version of quizprep
    refused   files that were not graded, with the reason; empty in a report without names
    unknown   files that are named like no exercise; empty in a report without names
    left_out  how many files these are
    """

    students: tuple[StudentStanding, ...]
    exercises: tuple[ExerciseStanding, ...]
    credit: Credit
    program: str
    refused: tuple[Refused, ...] = ()
    unknown: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def maximum(self) -> float:
        """The points of a student who passes everything that anybody handed in."""
        return sum(self.credit.maximum(exercise.id) for exercise in self.exercises)

    @property
    def entries(self) -> list[Entry]:
        return [entry for student in self.students for entry in student.entries]

    @property
    def unconfined(self) -> dict[str, int]:
        """The parts of the confinement that a system lacked, and in how many gradings."""
        parts = (entry.verdict.unconfined for entry in self.entries if entry.verdict is not None)
        return dict(Counter(part for each in parts for part in each))

    @property
    def not_graded(self) -> int:
        return sum(entry.verdict is None for entry in self.entries)


def standing(
    verdicts: Mapping[tuple[str, str], Verdict | None],
    versions: Mapping[tuple[str, str], int],
    credit: Credit,
    program: str,
    title: Callable[[str], str],
    refused: Iterable[Refused] = (),
    unknown: Iterable[str] = (),
    numbers: Mapping[str, int] | None = None,
    expected: Iterable[str] = (),
    students: Iterable[str] = (),
) -> Standing:
    """The standing of a group.

    verdicts  by student and exercise
    versions  how many different submissions were seen, by student and exercise
    title     of an exercise, by id
    numbers   a number for each student, for a report without names: what students printed, which
              may hold a name, is left out as well
    expected  exercises that are shown even if nobody handed them in
    students  students who are shown even if they handed in nothing
    """
    by_student: dict[str, list[Entry]] = {
        name if numbers is None else str(numbers[name]): [] for name in students
    }
    by_exercise: dict[str, list[Entry]] = {id: [] for id in expected}
    for (student, exercise), verdict in verdicts.items():
        if numbers is not None and verdict is not None:
            verdict = replace(verdict, printed="")
        name = student if numbers is None else str(numbers[student])
        points = credit.points_of(exercise, verdict)
        seen = versions.get((student, exercise), 1)
        entry = Entry(name, exercise, verdict, points, seen)
        by_student.setdefault(name, []).append(entry)
        by_exercise.setdefault(exercise, []).append(entry)
    names = sorted(by_student) if numbers is None else sorted(by_student, key=int)
    refused, unknown = tuple(refused), tuple(unknown)
    return Standing(
        students=tuple(StudentStanding(name, tuple(by_student[name])) for name in names),
        exercises=tuple(
            ExerciseStanding(id, title(id), tuple(found))
            for id, found in sorted(by_exercise.items())
        ),
        credit=credit,
        program=program,
        refused=refused if numbers is None else (),
        unknown=unknown if numbers is None else (),
        left_out=len(refused) + len(unknown),
    )
