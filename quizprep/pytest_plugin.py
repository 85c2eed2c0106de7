"""The pytest plugin: with ``--quizprep``, files named like exercises are graded as tests.

A file has an item for loading it, one for each kind of correctness case, one for each meter of the
cost, and one for the whole verdict, which fails if anything does. It is graded once, in the first
of its items that runs; the submission runs confined in a process of its own and is never imported
here.

The plugin is loaded by every pytest of an environment with quizprep, so that it imports nothing of
quizprep before it is asked to.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from quizprep.api import GradingSession
    from quizprep.content.library import Exercise, Library
    from quizprep.grading.verdict import CaseResult, Stage, Verdict
    from quizprep.grading.wire import Case

_SEED = "quizprep_seed"


class NotPassed(Exception):
    """An item fails; the text says why."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch, and where own exercises lie."""
    group = parser.getgroup("quizprep")
    group.addoption(
        "--quizprep", action="store_true", help="Grade files that are named like exercises."
    )
    group.addoption("--quizprep-seed", type=int, help="Repeat the cases of an earlier verdict.")
    group.addoption(
        "--quizprep-require-confinement",
        action="store_true",
        help="Refuse to run code that cannot be confined.",
    )
    parser.addini("quizprep_exercises", "A folder of your own exercises.", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Register the grading, if it is asked for."""
    if not config.getoption("--quizprep"):
        return
    given = config.getoption("--quizprep-seed")
    inherited = getattr(config, "workerinput", {}).get(_SEED)
    config.pluginmanager.register(_Grading(config, given if given is not None else inherited))


class _Grading:
    """What one pytest process grades with. Workers of xdist share one seed, so that the items of a
    file are judged alike wherever they run."""

    def __init__(self, config: pytest.Config, seed: int | None) -> None:
        from quizprep.content.library import Library, plain_id
        from quizprep.grading.grader import new_seed

        own = str(config.getini("quizprep_exercises"))
        self._config = config
        self.library: Library = Library(config.rootpath / own) if own else Library()
        self.seed = new_seed() if seed is None else seed
        self._names = {plain_id(name): name for name in self.library.exercise_ids}
        self._plain = plain_id
        if not self._names:
            raise pytest.UsageError(f"quizprep_exercises: there are no exercises in {own}")

    @cached_property
    def session(self) -> GradingSession:
        from quizprep.api import GradingSession

        confined = bool(self._config.getoption("--quizprep-require-confinement"))
        return GradingSession(self.library, require_confinement=confined)

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """A wrapper: pytest itself would import a file that is named on the command line."""
        found = yield
        name = self._names.get(self._plain(file_path.stem)) if file_path.suffix == ".py" else None
        if name is None:
            return found
        return [_Submission.made(parent, file_path, self, self.library.exercise(name))]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist the seed."""
        node.workerinput[_SEED] = self.seed

    def pytest_report_header(self) -> str:
        return f"quizprep: {len(self._names)} exercises, --quizprep-seed {self.seed}"

    def pytest_unconfigure(self) -> None:
        if "session" in self.__dict__:
            self.session.close()


class _Submission(pytest.File):
    """A file that is named like an exercise."""

    grading: _Grading
    exercise: Exercise

    @classmethod
    def made(
        cls, parent: pytest.Collector, path: Path, grading: _Grading, exercise: Exercise
    ) -> _Submission:
        file: _Submission = cls.from_parent(parent, path=path)
        file.grading, file.exercise = grading, exercise
        return file

    def collect(self) -> Iterator[pytest.Item]:
        """The items, in the order of the report; equal in every process."""
        yield _Item.from_parent(self, name="load")
        for kind in self._kinds():
            yield _Item.from_parent(self, name=f"correctness[{kind}]")
        for meter in self._meters():
            yield _Item.from_parent(self, name=f"cost[{meter}]")
        yield _Item.from_parent(self, name="verdict")

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict; the file is graded when it is first asked for."""
        return self.grading.session.grade(self.exercise.id, self.path, seed=self.grading.seed)

    def _kinds(self) -> list[str]:
        from quizprep.grading import plan

        seed = self.grading.seed
        fresh = plan.fresh_cases(self.exercise.spec, seed)
        cases = (*plan.fixed_cases(self.exercise.id, self.exercise.spec), *fresh)
        return list(dict.fromkeys(map(_kind, cases)))

    def _meters(self) -> list[str]:
        return [str(meter) for meter in self.exercise.spec.contract.limits()]


def _kind(case: Case | CaseResult) -> str:
    """What a case is about: fresh inputs, large ones, views of other tensors, or else a dtype."""
    if case.fresh:
        return "fresh"
    if case.magnitude != 1:
        return "large"
    return case.dtype if case.layout == "contiguous" else "views"


class _Item(pytest.Item):
    """One part of a verdict."""

    parent: _Submission

    def runtest(self) -> None:
        verdict = self.parent.verdict
        self.user_properties += [("quizprep", mistake.id) for mistake in verdict.mistakes]
        if self.name == "verdict":
            if not verdict.passed:
                from quizprep.api import as_text

                raise NotPassed(as_text(verdict))
            return
        name, _, part = self.name.removesuffix("]").partition("[")
        stage = verdict.stage(name)
        if stage.status == "skip":
            pytest.skip("not reached")
        if reason := _failure(stage, part):
            raise NotPassed(reason)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from quizprep.errors import QuizprepError

        if isinstance(excinfo.value, NotPassed | QuizprepError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


def _failure(stage: Stage, part: str) -> str:
    """Why a part of a stage failed; empty if it passed."""
    if stage.name == "correctness":
        cases = [case for case in stage.cases if _kind(case) == part]
        failed = [case for case in cases if case.status != "pass"]
        if failed:
            more = f"\n... and {len(failed) - 1} more of this kind" if len(failed) > 1 else ""
            return f"{failed[0].described()}: {failed[0].message}{more}"
        return "" if cases or stage.status == "pass" else stage.message
    if stage.name == "cost":
        for reading in stage.readings:
            if str(reading.meter) == part and reading.status != "pass":
                measured = reading.formula or reading.growth
                return f"{reading.meter.title} = {measured}\n{reading.message}"
        known = any(str(reading.meter) == part for reading in stage.readings)
        return "" if known or stage.status == "pass" else stage.message
    if stage.status == "pass":
        return ""
    raised = stage.raised
    lines = [stage.message]
    if raised is not None:
        lines += [f"line {frame.line}: {frame.text}" for frame in raised.frames]
        lines.append(f"{raised.kind}: {raised.message}")
    return "\n".join(filter(None, lines)) or "it failed"
