"""``quizprep grade``: the learner's file in, a verdict out."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import click

from quizprep.cli import report_error
from quizprep.cli.options import (
    command,
    exercise_argument,
    exercises_option,
    in_folder,
    library_in,
    quoted,
    writing,
)
from quizprep.cli.predict import ask_predictions, show_predictions
from quizprep.cli.terminal import Terminal, status
from quizprep.cli.watch import watch
from quizprep.content.library import Exercise, Library
from quizprep.errors import ExitCode, QuizprepError, StoreError, UsageError
from quizprep.grading import report
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.junit import to_junit
from quizprep.grading.loop import store_attempt, topics_behind
from quizprep.grading.pool import Pool
from quizprep.grading.submission import hidden_folders, read_submission
from quizprep.grading.verdict import Verdict
from quizprep.grading.wire import Progress
from quizprep.quiz import times
from quizprep.quiz.weakness import next_exercise, training_command
from quizprep.store import Store

TARGETS = (80, 86, 89, 90, 100)
"""Compute capabilities that kernels can be compiled for."""

SAVED_CASE = b'"""A failing case of '
"""How a file that --save-case wrote begins."""

NO_RECORD = StoreError("Nothing is stored with --no-record, not even that a hint was shown.")


@click.command()
@exercise_argument
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--lines", "by_line", is_flag=True, help="Show what each line costs.")
@click.option("--watch", "watching", is_flag=True, help="Grade again after every save.")
@click.option("--predict", is_flag=True, help="Say the cost before it is measured.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
@click.option("--junit", type=click.Path(path_type=Path), help="Also write JUnit XML to a file.")
@click.option(
    "--save-case",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the smallest failing case to a Python file that runs without quizprep.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Repeat the cases of a report.")
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    help="Run your code on a GPU; unchecked.",
)
@click.option(
    "--compile",
    "assemble",
    is_flag=True,
    help="Triton: show registers, spills and occupancy of the machine code; takes seconds.",
)
@click.option(
    "--target",
    type=click.Choice([f"sm_{number}" for number in TARGETS]),
    default="sm_90",
    show_default=True,
    help="Triton: the GPU that kernels are compiled for.",
)
@click.option(
    "--require-confinement", is_flag=True, help="Refuse to run code that cannot be confined."
)
@click.option("--no-record", is_flag=True, help="Store nothing of this grading.")
@exercises_option
def grade(
    exercise: str,
    file: Path | None,
    by_line: bool,
    watching: bool,
    predict: bool,
    as_json: bool,
    junit: Path | None,
    save_case: Path | None,
    seed: int | None,
    device: str,
    assemble: bool,
    target: str,
    require_confinement: bool,
    no_record: bool,
    folder: Path | None,
) -> int:
    """Grade your solution of EXERCISE: correctness, the mistake by name, its cost as a formula.

    FILE is ./EXERCISE.py unless you name another.
    """
    if as_json and (watching or predict):
        raise UsageError("--json prints one verdict; it does not go with --watch or --predict.")
    library = library_in(folder)
    task = library.exercise(exercise)
    path = file or Path(f"{task.id}.py")
    if not watching:
        read_submission(path, command("start", task, folder))
    if device == "cuda" and task.spec.runtime == "numpy":
        raise UsageError(f"{task.id} is written in numpy, which has no GPU.")
    if assemble and task.spec.runtime != "triton":
        raise UsageError(f"{task.id} has no kernels to compile.")
    with Pool(device) as pool, contextlib.ExitStack() as stack:
        grader = Grader(
            pool,
            hidden_folders(library),
            require_confinement=require_confinement,
            script=save_case is not None,
            target=int(target.removeprefix("sm_")),
            assemble=assemble,
            by_line=by_line or as_json,
        )
        # The nursery starts to import torch while this process opens its store.
        grader.warm_up(task)
        store: Store | StoreError
        try:
            store = NO_RECORD if no_record else stack.enter_context(Store.open())
        except StoreError as error:
            store = error
        file_grader = _FileGrader(
            library,
            task,
            path,
            folder,
            grader,
            store,
            seed,
            predict,
            as_json,
            junit,
            save_case,
            by_line,
        )
        return file_grader.watch() if watching else file_grader.grade()


@dataclass
class _FileGrader:
    """Grades one file, once or after every save.

    store  where gradings are kept, or why they are not
    last   the verdict on the file as it was before
    """

    library: Library
    task: Exercise
    path: Path
    folder: Path | None
    grader: Grader
    store: Store | StoreError
    seed: int | None
    predict: bool
    as_json: bool
    junit: Path | None
    save_case: Path | None
    by_line: bool = False
    last: Verdict | None = None
    terminal: Terminal = field(default_factory=Terminal)

    def grade(self) -> int:
        """Grade the file, store and show the verdict; returns the exit code.

        A verdict that cannot be stored or written is shown all the same; what went wrong is said
        on standard error.
        """
        submission = read_submission(self.path, command("start", self.task, self.folder))
        contract = self.task.spec.contract
        predictions = ask_predictions(contract, self.terminal) if self.predict else {}
        verdict = self._verdict(submission)
        status()
        verdict, script = verdict.without_script()
        lost, unwritten = self._keep(verdict), self._write(verdict, script)
        if self.as_json:
            click.echo(report.to_json(verdict))
        else:
            kept = isinstance(self.store, Store) and lost is None
            topics = topics_behind(verdict) if kept else ()
            print_verdict(self.terminal, verdict, topics, self.last, self.by_line)
            show_predictions(predictions, verdict, contract, self.terminal)
            if verdict.passed and kept:
                self._say_next()
            if kept and verdict.stage("diagnosis").slip is not None:
                show = command("hint", self.task, self.folder)
                self.terminal.say(f"The small change that mends it: {show} --line")
        self.last = verdict
        for trouble in filter(None, (lost, unwritten)):
            report_error(trouble)
        if verdict.faulty:
            return ExitCode.INTERNAL
        return ExitCode.PASSED if verdict.passed and not unwritten else ExitCode.NOT_PASSED

    def watch(self) -> int:
        """Grade after every save; returns the exit code of the last grading."""
        code: int = ExitCode.NOT_PASSED

        def again() -> None:
            nonlocal code
            try:
                code = self.grade()
            except UsageError as error:
                self.terminal.say(error.message, "red")  # the file was removed in between

        with contextlib.suppress(KeyboardInterrupt):
            watch(self.terminal, self.path, again, self._hint, self._line)
        self.terminal.say()
        return code

    def _verdict(self, submission: Submission) -> Verdict:
        """The verdict on the cases of the seed; without one, on fresh cases.

        Cases that failed are tried again first, so that one works on the same failure from save
        to save; a pass counts on fresh cases only.
        """

        def judged(seed: int | None) -> Verdict:
            return self.grader.grade(self.task, submission, seed, None if self.as_json else _show)

        if self.seed is None and self.last is not None and not self.last.passed:
            verdict = judged(self.last.seed)
            return judged(None) if verdict.passed else verdict
        return judged(self.seed)

    def _keep(self, verdict: Verdict) -> QuizprepError | None:
        """Store the verdict; returns what went wrong, if anything did."""
        if self.store is NO_RECORD:
            return None
        try:
            if isinstance(self.store, StoreError):
                raise self.store
            store_attempt(self.store, verdict, times.now())
        except StoreError as error:
            return QuizprepError(f"This grading was not stored. {error.message}", error.hint)
        return None

    def _write(self, verdict: Verdict, script: str) -> QuizprepError | None:
        """Write JUnit XML and a failing case if that is wanted; returns what went wrong, if
        anything did."""
        try:
            if self.save_case is not None:
                self._save_case(self.save_case, script)
            if self.junit is not None:
                with writing(self.junit):
                    self.junit.write_text(to_junit(verdict), encoding="utf-8")
        except QuizprepError as error:
            return error
        return None

    def _save_case(self, target: Path, script: str) -> None:
        """Write a failing case to a file, unless there is none, or another file is in the way."""
        if not script:
            self.terminal.say(f"No case is written to {target}: none failed that fits into a file.")
            return
        if target.exists() and not target.read_bytes().startswith(SAVED_CASE):
            raise UsageError(
                f"{target} exists, and was not written by --save-case.", hint="Name another file."
            )
        filled = script.replace("{this file}", target.name)
        filled = filled.replace("{submission}", repr(str(self.path.resolve())))
        with writing(target):
            target.write_text(filled, encoding="utf-8")
        if not self.as_json:
            self.terminal.say(f"written: {target}, the smallest failing case; run: python {target}")

    def _say_next(self) -> None:
        """After a pass: where the solution is, and the next exercise."""
        assert isinstance(self.store, Store)
        show = command("show", self.task, self.folder)
        yours = quoted(self.path)
        self.terminal.say(f"The solution, compared with yours: {show} --solution --diff {yours}")
        if asked := _asked_next(self.store, self.task.id):
            question, text = asked
            self.terminal.say(f"An interviewer asks next: {text} (quizprep ask {question})")
        attempts = self.store.attempts()
        following = next_exercise(self.library, attempts)
        if following is not None:
            tried = any(attempt.exercise == following.id for attempt in attempts)
            begin = training_command(following.id, tried) + in_folder(self.folder)
            self.terminal.say(f"Next exercise: {following.spec.title}: {begin}")

    def _hint(self) -> None:
        if isinstance(self.store, StoreError):
            self.terminal.say(self.store.message, "yellow")
        else:
            again = command("hint", self.task, self.folder)
            self.terminal.say(next_hint(self.store, self.task, again))

    def _line(self) -> None:
        slip = self.last.stage("diagnosis").slip if self.last is not None else None
        self.terminal.say(report.slip_hint(slip))


def _asked_next(store: Store, exercise: str) -> tuple[str, str] | None:
    """A question that an exercise trains, with its text: one not answered well yet, the hardest
    level last."""
    from quizprep.cli.options import library_of
    from quizprep.quiz.presented import present
    from quizprep.quiz.selection import by_level, draw_seed
    from quizprep.quiz.weakness import ENOUGH, score

    library = library_of(None)
    answers = store.latest()
    about = [each for each in library.questions.values() if each[1].exercise == exercise]
    for topic, question in by_level(about):
        known = answers.get(question.id)
        if known is None or score(known) < ENOUGH:
            presented = present(topic, question, draw_seed(0, question.id))
            return question.id, " ".join(presented.text(question.ask).split())
    return None


def next_hint(store: Store, task: Exercise, again: str) -> str:
    """Count and return the next hint, or say that there are no more and how to see them again."""
    if store.hints_shown(task.id) >= len(task.spec.hints):
        return f"There are no more hints; {again} shows them again."
    number = store.show_hint(task.id, times.now())
    return f"Hint {number} of {len(task.spec.hints)}: {task.spec.hints[number - 1].strip()}"


def print_verdict(
    terminal: Terminal,
    verdict: Verdict,
    topics: tuple[str, ...] = (),
    before: Verdict | None = None,
    by_line: bool = False,
) -> None:
    """Print the report, to a terminal or into a pipe."""
    for line in report.lines(verdict, topics, before, by_line):
        terminal.say(line.text, line.style, line.indent)


def _show(progress: Progress) -> None:
    status(f"{progress.stage} {progress.done}/{progress.total} ")
