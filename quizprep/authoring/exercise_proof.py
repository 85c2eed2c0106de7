"""An exercise proves itself: what must fail fails under its own name, what must pass passes.

Every submission made here is graded like a learner's, in the same confined process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from quizprep.authoring.mutants import Mutant, equivalents, mutants
from quizprep.content.exercises import Runtime
from quizprep.content.library import Exercise
from quizprep.errors import Problem
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import GraderFault, Pool
from quizprep.grading.verdict import Verdict

SEEDS = (11, 12)
"""Two secret seeds: what one set of fresh cases cannot tell apart, another might."""

SHORTEST = 8.0
PATIENCE = 3.0
"""A mutant is stopped after so many seconds, or so many times what the solution took if that is
more: many loop for ever, but one that is only as slow as the solution must not count as killed."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class MutantCount:
    """How the grader did on the mutants of one solution."""

    killed: int
    equivalent: int
    survived: tuple[Mutant, ...]


@dataclass
class Evidence:
    """What was proved about one exercise.

    told_apart  pairs that were named as that pair
    alike       pairs that give the outputs of fewer mistakes, which were named instead
    unnamed     pairs that fail, but that several explanations fit
    formulas    the solution's cost by meter
    masks       for each picture of the exercise, which keys its queries see
    """

    exercise: str
    singles: int = 0
    told_apart: int = 0
    alike: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    formulas: dict[str, str] = field(default_factory=dict)
    masks: list[tuple[tuple[bool, ...], ...]] = field(default_factory=list)
    mutants: MutantCount | None = None
    problems: list[Problem] = field(default_factory=list)


class Prover:
    """Proves exercises, one after another, with the nurseries of one pool."""

    def __init__(self, pool: Pool, hidden: tuple[str, ...] = (), say: Say = lambda _: None) -> None:
        """hidden are the folders that no submission may read."""
        self._pool = pool
        self._grader = Grader(pool, hidden, search=0)
        self._compiling = Grader(pool, hidden, search=0, assemble=True)
        self._hidden = hidden
        self._say = say

    def prove(self, exercise: Exercise, pairs: bool = True) -> Evidence:
        """Grade the starter, the solution, trivial outputs, and every mistake."""
        evidence = Evidence(exercise.id)
        missing = list(_missing_files(exercise))
        if missing:
            evidence.problems += missing
            return evidence
        self._starter(exercise, evidence)
        self._solution(exercise, evidence)
        self._trivial(exercise, evidence)
        self._pictures(exercise, evidence)
        nursery = self._pool.nursery(exercise.spec.runtime)
        known = nursery.describe(str(exercise.folder))
        for name, values in known.switches.items():
            for switch in values:
                self._single(exercise, evidence, name, switch)
        if pairs:
            self._pairs(exercise, evidence)
        return evidence

    def mutate(self, exercise: Exercise, evidence: Evidence) -> None:
        """Grade every mutant of the solution; one that passes unexplained is a problem."""
        start = time.monotonic()
        if not self._grade(exercise, exercise.solution.read_bytes()).passed:
            evidence.problems.append(Problem(str(exercise.solution), None, "", "must pass"))
            return
        deadline = max(SHORTEST, PATIENCE * (time.monotonic() - start))
        grader = Grader(self._pool, self._hidden, deadline=deadline, brief=True)
        listed = {(e.inside, e.change) for e in equivalents(exercise)}
        killed, equivalent, survived, seen = 0, 0, [], set()
        for mutant in mutants(exercise.solution.read_text(encoding="utf-8")):
            self._say(f"{exercise.id}: line {mutant.line}, {mutant.change}")
            submission = Submission(f"{exercise.id}.py", mutant.source.encode())
            if not grader.grade(exercise, submission, SEEDS[0]).passed:
                killed += 1
            elif (mutant.inside, mutant.change) in listed:
                equivalent += 1
                seen.add((mutant.inside, mutant.change))
            else:
                survived.append(mutant)
                text = (
                    f"the mutant {mutant.change!r} passes; add a case, or list it in mutants.yaml"
                )
                evidence.problems.append(Problem(str(exercise.solution), mutant.line, "", text))
        for inside, change in sorted(listed - seen):
            text = f"lists {change!r} in {inside!r}, but no such mutant passes"
            evidence.problems.append(_problem(exercise, "mutants.yaml", text))
        evidence.mutants = MutantCount(killed, equivalent, tuple(survived))

    def _grade(self, exercise: Exercise, source: bytes, seed: int = SEEDS[0]) -> Verdict:
        return self._grader.grade(exercise, Submission(f"{exercise.id}.py", source), seed)

    def _starter(self, exercise: Exercise, evidence: Evidence) -> None:
        self._say(f"{exercise.id}: starter")
        verdict = self._grade(exercise, exercise.text("starter.py").encode())
        if verdict.passed or verdict.stage("load").status != "pass":
            evidence.problems.append(
                _problem(
                    exercise,
                    "starter.py",
                    "must load and then fail; it "
                    + ("passes" if verdict.passed else "does not load"),
                )
            )

    def _solution(self, exercise: Exercise, evidence: Evidence) -> None:
        source = exercise.solution.read_bytes()
        for seed in SEEDS:
            self._say(f"{exercise.id}: solution, seed {seed}")
            grader = self._compiling if seed == SEEDS[-1] else self._grader
            verdict = grader.grade(exercise, Submission(f"{exercise.id}.py", source), seed)
            if not verdict.passed:
                evidence.problems.append(
                    Problem(str(exercise.solution), None, "", f"must pass: {_why(verdict)}")
                )
                return
        for reading in verdict.stage("cost").readings:
            if reading.formula and not reading.formula.startswith("max("):
                evidence.formulas.setdefault(str(reading.meter), reading.formula)
            elif str(reading.meter) not in evidence.formulas:
                evidence.problems.append(
                    _problem(
                        exercise,
                        "exercise.yaml",
                        f"contract: the sizes give no exact formula for the solution's "
                        f"{reading.meter}; use multiples of the tile and more values an axis",
                    )
                )

    def _pictures(self, exercise: Exercise, evidence: Evidence) -> None:
        nursery = self._pool.nursery(exercise.spec.runtime)
        for picture in exercise.spec.pictures:
            self._say(f"{exercise.id}: {picture.title}")
            try:
                found = nursery.probe(str(exercise.folder), picture.sizes, picture.seed)
            except GraderFault as fault:
                why = str(fault).splitlines()[-1]
                text = (
                    f"pictures: {picture.title}: the reference gives no mask at its sizes ({why})"
                )
                evidence.problems.append(_problem(exercise, "exercise.yaml", text))
            else:
                evidence.masks.append(found.visible)

    def _trivial(self, exercise: Exercise, evidence: Evidence) -> None:
        for name, source in trivial_sources(exercise):
            self._say(f"{exercise.id}: {name}")
            if self._grade(exercise, source.encode()).passed:
                evidence.problems.append(
                    _problem(exercise, "exercise.yaml", f"a submission that returns {name} passes")
                )

    def _single(self, exercise: Exercise, evidence: Evidence, name: str, switch: str) -> None:
        self._say(f"{exercise.id}: {switch}")
        verdict = self._grade(exercise, faulty_source(exercise, (switch,)))
        named = {mistake.id for mistake in verdict.mistakes}
        if verdict.passed:
            text = f"{switch}: a submission with this mistake passes"
        elif named != {name}:
            text = f"{switch}: named {_list(named)} instead ({_why(verdict)})"
        else:
            evidence.singles += 1
            return
        evidence.problems.append(_problem(exercise, "mistakes.py", text))

    def _pairs(self, exercise: Exercise, evidence: Evidence) -> None:
        self._say(f"{exercise.id}: pairs of mistakes")
        nursery = self._pool.nursery(exercise.spec.runtime)
        one, two = (
            nursery.tell_apart(str(exercise.folder), self._grader.cases(exercise, seed)).pairs
            for seed in SEEDS
        )
        for pair, again in zip(one, two, strict=True):
            label = " + ".join(pair.switches)
            names, found = set(pair.names), {frozenset(pair.named), frozenset(again.named)}
            if frozenset(names) in found:
                evidence.told_apart += 1
            elif len(found) > 1:
                named = " or ".join(_list(each) for each in found)
                text = f"{label}: named {named}, by chance; add cases that tell them apart"
                evidence.problems.append(_problem(exercise, "exercise.yaml", text))
            elif not pair.fails:
                evidence.alike.append(f"{label} = nothing")
            elif pair.named:
                evidence.alike.append(f"{label} = {_list(frozenset(pair.named))}")
            else:
                evidence.unnamed.append(label)


def faulty_source(exercise: Exercise, switches: tuple[str, ...]) -> bytes:
    """A submission that is the exercise's faulty model with these mistakes switched on."""
    entry = exercise.spec.entry
    if "\ndef build(" in exercise.text("mistakes.py"):
        shim = f"\n\nglobals().update(build(frozenset({list(switches)!r})))\n"
        return (exercise.text("mistakes.py") + shim).encode()
    shim = (
        f"\n\ndef {entry}(*args, **kwargs):\n"
        f"    return solve(*args, **kwargs, mistakes=frozenset({list(switches)!r}))\n"
    )
    return (exercise.text("mistakes.py") + shim).encode()


_TRIVIAL = {
    "zeros": "x * 0",
    "its last input": "x + 0",
    "the mean of its last input": "x * 0 + x.mean()",
}


def trivial_sources(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Submissions that return something of the right shape without computing it."""
    if "\ndef drive(" in exercise.text("reference.py"):
        return  # a script has no shape to copy
    library = "numpy" if exercise.spec.runtime is Runtime.NUMPY else "torch"
    ranks = [len(axes) for axes in exercise.spec.returns.values()]
    uninitialised = f"{library}.empty_like(x)"
    for name, expression in {**_TRIVIAL, "an uninitialised buffer": uninitialised}.items():
        yield name, _trivial_source(exercise.spec.entry, library, expression, ranks)


def _trivial_source(entry: str, library: str, expression: str, ranks: list[int]) -> str:
    return f"""
import {library}


def {entry}(*args, **kwargs):
    # The first input has the shape of the queries, and so, mostly, of the output.
    arrays = [a for a in args if hasattr(a, "shape")]
    x = arrays[-1] if arrays[-1].shape == arrays[0].shape else arrays[0]
    outputs = []
    for rank in {ranks!r}:
        y = x
        while y.ndim > rank:
            y = y[..., 0]
        x, whole = y, x
        outputs.append({expression})
        x = whole
    return outputs[0] if len(outputs) == 1 else tuple(outputs)
"""


def _missing_files(exercise: Exercise) -> Iterator[Problem]:
    for name in ("README.md", "starter.py", "reference.py", "mistakes.py"):
        if not (exercise.folder / name).is_file():
            yield _problem(exercise, name, "is missing")
    if not exercise.solution.is_file():
        yield Problem(str(exercise.solution), None, "", "is missing")


def _problem(exercise: Exercise, file: str, message: str) -> Problem:
    return Problem(str(exercise.folder / file), None, "", message)


def _list(names: set[str] | frozenset[str]) -> str:
    return " + ".join(sorted(names)) or "nothing"


def _why(verdict: Verdict) -> str:
    """The first reason in a verdict why a submission does not pass."""
    stage = next(stage for stage in verdict.stages if stage.status in ("fail", "error"))
    case = next((c for c in stage.cases if c.status == "fail"), None)
    bad = next((r for r in stage.readings if r.status == "fail"), None)
    detail = case.message if case else f"{bad.meter}: {bad.message}" if bad else ""
    return f"{stage.name}: {detail or stage.message}"[:300]
