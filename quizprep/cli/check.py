"""``quizprep check``: tests the content, ours or an author's own."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import click

from quizprep.authoring.bank_checks import check_banks, check_exercises, load_library_problems
from quizprep.authoring.exercise_proof import Evidence
from quizprep.authoring.measuring import (
    figure_problems,
    measured_now,
    measured_problems,
    write_figures,
    write_measured,
)
from quizprep.authoring.open_answer_eval import PARTS, evaluate, evaluation_text, load_answers
from quizprep.authoring.published import published_problems
from quizprep.authoring.question_proof import question_problems
from quizprep.authoring.scaffold import unfinished_exercise
from quizprep.authoring.snippets import check_snippets
from quizprep.authoring.spelling import spelling_problems
from quizprep.authoring.tested import tested_problems, untold_options, write_tested
from quizprep.cli.terminal import Terminal, status
from quizprep.content.library import Library, shipped_root
from quizprep.content.measured import Measured
from quizprep.errors import ContentError, ExitCode, MissingExtraError, Problem, UsageError


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--exercise", "only", multiple=True, help="Check only this exercise; repeatable.")
@click.option("--banks", "banks_only", is_flag=True, help="Check only the question banks.")
@click.option("--quick", is_flag=True, help="Skip pairs of mistakes.")
@click.option("--mutants", is_flag=True, help="Also grade every mutant of each solution.")
@click.option(
    "--evidence",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --mutants: write what was proved to this Markdown file. With --banks and "
    "--answers: put how open answers are marked into it.",
)
@click.option("--spelling", is_flag=True, help="Also look up every word in a dictionary.")
@click.option(
    "--answers",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Measure the marking of open questions on labelled answers in this folder.",
)
@click.option(
    "--blind",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Grade the blind submissions in this folder, and count what is found.",
)
@click.option(
    "--kernels", is_flag=True, help="Show what the solutions' kernels take of a GPU, compiled."
)
@click.option("--write", is_flag=True, help="Write the measured costs and the pictures of masks.")
def check(
    path: Path | None,
    only: tuple[str, ...],
    banks_only: bool,
    quick: bool,
    mutants: bool,
    evidence: Path | None,
    spelling: bool,
    answers: Path | None,
    blind: Path | None,
    kernels: bool,
    write: bool,
) -> int:
    """Test the content under PATH, or the content that is shipped.

    Banks: every file loads, every reference resolves, and replies are marked as they should be.
    Exercises: the starter fails, the solution passes, every known mistake fails under its own
    name, the solution costs what measured.yaml says, and pictures of masks show what the
    reference does.

    PATH may be the folder of one exercise: exercises/ID beside solutions/ID.py.
    """
    if path is not None and not path.is_dir():
        raise UsageError(f"{path} is not a folder.", hint="Name one that holds questions/.")
    of_sections = banks_only and (kernels or answers is not None or blind is not None)
    if evidence is not None and not of_sections and (quick or banks_only or not mutants):
        raise UsageError(
            "--evidence tells of pairs and mutants, and this run would have none.",
            hint="Use it with --mutants, without --quick and --banks; or with --banks and one of "
            "--answers, --blind and --kernels.",
        )
    if find_spec("numpy") is None and (path is None or not banks_only):
        raise MissingExtraError("Checking solutions and snippets", "grade")
    if path is not None and (path / "exercise.yaml").is_file():
        path = path.resolve()
        path, only = path.parent.parent, (*only, path.name)
    library = Library(path if path is not None else shipped_root())
    terminal = Terminal()
    names = [library.exercise(name).id for name in only]
    if not names:
        _finish(_bank_problems(library, terminal))
    if spelling:
        _finish(spelling_problems(library))
        terminal.say("ok   every word is in the dictionary or in words.txt", "green")
    sections = [_evaluation(library, answers, terminal)] if answers is not None else []
    sections += [_blind(library, blind, terminal)] if blind is not None else []
    sections += [_kernels(library, terminal)] if kernels else []
    if banks_only and evidence is not None:
        for section in sections:
            _put_section(evidence, section, terminal)
    if not banks_only:
        names = names or list(library.exercise_ids)
        proofs = _Proofs(quick, mutants, evidence, write, "\n".join(sections))
        problems = _exercise_problems(library, names, proofs, terminal)
        # Last, because it reads measured.yaml, which may have been written just now.
        _finish([*problems, *published_problems(library, names)])
    return ExitCode.PASSED


def _finish(problems: list[Problem]) -> None:
    if problems:
        raise ContentError(problems)


def _bank_problems(library: Library, terminal: Terminal) -> list[Problem]:
    problems = load_library_problems(library)
    problems += check_banks(library)
    if problems:
        return problems
    problems += question_problems(library)
    problems += check_snippets(library)
    count = sum(len(bank.questions) for bank in library.banks.values())
    if not problems:
        terminal.say(f"ok   {count} questions in {len(library.topics)} topics", "green")
    return problems


def _evaluation(library: Library, folder: Path, terminal: Terminal) -> str:
    """Measure the marking of open answers; returns its section for the page of evidence."""
    answers = load_answers(folder, library)
    for part in PARTS:
        chosen = [answer for answer in answers if answer.part == part]
        if chosen:
            points = evaluate(library, chosen).points
            figures = f"precision {points.precision:.2f}, recall {points.recall:.2f}"
            terminal.say(f"ok   {len(chosen)} open answers, {part}: {figures}", "green")
    return evaluation_text(library, answers)


def _blind(library: Library, folder: Path, terminal: Terminal) -> str:
    """Grade blind submissions; returns their section for the page of evidence."""
    from quizprep.authoring.blind import blind_submissions, blind_text, tallies
    from quizprep.grading.pool import Pool

    with Pool() as pool:
        graded = list(tallies(library, blind_submissions(folder), pool))
    text = blind_text(graded)
    terminal.say(text)
    return text


def _kernels(library: Library, terminal: Terminal) -> str:
    """Compile the solutions' kernels; returns their section for the page of evidence."""
    from quizprep.authoring.kernels import kernels_text, solution_kernels
    from quizprep.grading.pool import Pool

    with Pool() as pool:
        text = kernels_text(solution_kernels(library, pool))
    terminal.say(text)
    return text


def _put_section(page: Path, section: str, terminal: Terminal) -> None:
    from quizprep.authoring.evidence import with_section

    try:
        page.write_text(with_section(page.read_text(encoding="utf-8"), section), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{page} cannot be changed: {error.strerror}.", hint="Make it with --mutants first."
        ) from error
    terminal.say(f"written: {page}")


class _Proofs(NamedTuple):
    """What to prove about exercises, and where to write it."""

    quick: bool
    mutants: bool
    evidence: Path | None
    write: bool
    evaluation: str


def _exercise_problems(
    library: Library, names: list[str], proofs: _Proofs, terminal: Terminal
) -> list[Problem]:
    from quizprep.authoring.evidence import evidence_text
    from quizprep.authoring.exercise_proof import Prover
    from quizprep.grading.pool import Pool
    from quizprep.grading.submission import hidden_folders

    problems: list[Problem] = []
    proved: list[Evidence] = []
    found: dict[str, Measured] = {}
    with Pool() as pool:
        prover = Prover(pool, hidden_folders(library), status)
        for name in names:
            exercise = library.exercise(name)
            if left := unfinished_exercise(exercise):
                problems += left
                terminal.say(f"FAIL {name}: {len(left)} parts are still to be written", "red")
                continue
            if unknown := check_exercises(library, [name]):
                problems += unknown
                terminal.say(f"FAIL {name}: it refers to what is not there", "red")
                continue
            evidence = prover.prove(exercise, pairs=not proofs.quick)
            evidence.problems += untold_options(exercise)
            if not evidence.problems and proofs.write:
                write_measured(exercise, evidence.formulas)
                write_tested(exercise)
            elif not evidence.problems:
                evidence.problems += measured_problems(exercise, evidence.formulas)
                evidence.problems += tested_problems(exercise)
            if not evidence.problems:
                found[name] = measured_now(exercise, evidence.masks)
            if proofs.mutants and not evidence.problems:
                prover.mutate(exercise, evidence)
            status()
            if evidence.mutants is not None:
                proved.append(evidence)
            problems += evidence.problems
            if evidence.problems:
                terminal.say(f"FAIL {name}: {len(evidence.problems)} problems", "red")
                continue
            terminal.say(f"ok   {name}: {_summary(evidence, proofs.quick)}", "green")
            for meter, formula in evidence.formulas.items():
                terminal.say(f"{meter} = {formula}", "dim", 5)
    if proofs.write:
        write_figures(library, found)
    else:
        problems += figure_problems(library, found)
    if proofs.evidence is not None and proved:
        text = evidence_text(library, proved, proofs.evaluation)
        proofs.evidence.write_text(text, encoding="utf-8")
        terminal.say(f"written: {proofs.evidence}")
    return problems


def _summary(evidence: Evidence, quick: bool) -> str:
    parts = [f"{evidence.singles} mistakes named"]
    if not quick:
        parts.append(f"{evidence.told_apart} pairs told apart")
    if evidence.mutants is not None:
        count = evidence.mutants
        parts.append(f"{count.killed} mutants killed, {count.equivalent} equivalent")
    return ", ".join(parts)
