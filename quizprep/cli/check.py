"""``quizprep check``: the content's own test, for our banks and exercises and for yours."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from quizprep.cli.terminal import Terminal
from quizprep.content.banks import check_banks, load_library_problems
from quizprep.content.figures import Measured, figure_problems, measured_now, write_figures
from quizprep.content.library import Library, shipped_root
from quizprep.content.measured import measured_problems, write_measured
from quizprep.content.published import published_problems
from quizprep.content.snippets import check_snippets
from quizprep.content.unfinished import unfinished_exercise
from quizprep.errors import ContentError, ExitCode, Problem, UsageError
from quizprep.grading.proof import Evidence
from quizprep.quiz.proof import question_problems


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--exercise", "only", multiple=True, help="Prove only this exercise; repeatable.")
@click.option("--banks", "banks_only", is_flag=True, help="Only the question banks.")
@click.option("--quick", is_flag=True, help="Leave out pairs of mistakes.")
@click.option("--mutants", is_flag=True, help="Also grade every mutant of each solution.")
@click.option(
    "--evidence",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --mutants: write what was proved to this Markdown file.",
)
@click.option("--write", is_flag=True, help="Write the solutions' costs and the masks.")
def check(
    path: Path | None,
    only: tuple[str, ...],
    banks_only: bool,
    quick: bool,
    mutants: bool,
    evidence: Path | None,
    write: bool,
) -> int:
    """Test the content itself, under PATH or what is shipped.

    Banks: everything loads, refers to what exists, and is marked as it should be. Exercises:
    the starter fails, the solution passes, every known mistake fails under its own name, and
    the solution costs what measured.yaml says, and pictures of masks show what the reference does.
    """
    if path is not None and not path.is_dir():
        raise UsageError(f"{path} is not a folder.", hint="Name one that holds questions/.")
    if evidence is not None and (quick or banks_only or not mutants):
        raise UsageError(
            "--evidence tells of pairs and mutants, and this run would have none.",
            hint="Use it with --mutants, without --quick and --banks.",
        )
    library = Library(path if path is not None else shipped_root())
    terminal = Terminal()
    names = [library.exercise(name).id for name in only]
    if not names:
        _finish(_bank_problems(library, terminal))
    if not banks_only:
        names = names or list(library.exercise_ids)
        problems = _exercise_problems(library, names, quick, mutants, evidence, write, terminal)
        # Last: it looks at measured.yaml, which may have been written just now.
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


def _exercise_problems(
    library: Library,
    names: list[str],
    quick: bool,
    mutants: bool,
    evidence_path: Path | None,
    write: bool,
    terminal: Terminal,
) -> list[Problem]:
    from quizprep.cli.grade import hidden_folders
    from quizprep.grading.evidence import evidence_text
    from quizprep.grading.pool import Pool
    from quizprep.grading.proof import Prover

    problems: list[Problem] = []
    proved: list[Evidence] = []
    found: dict[str, Measured] = {}
    with Pool() as pool:
        prover = Prover(pool, hidden_folders(library), _progress)
        for name in names:
            exercise = library.exercise(name)
            if left := unfinished_exercise(exercise):
                problems += left
                terminal.say(f"FAIL {name}: {len(left)} parts are still to be written", "red")
                continue
            evidence = prover.prove(exercise, pairs=not quick)
            if not evidence.problems and write:
                write_measured(exercise, evidence.formulas)
            elif not evidence.problems:
                evidence.problems += measured_problems(exercise, evidence.formulas)
            if not evidence.problems:
                found[name] = measured_now(exercise, evidence.masks)
            if mutants and not evidence.problems:
                prover.mutate(exercise, evidence)
            _progress("")
            if evidence.mutants is not None:
                proved.append(evidence)
            problems += evidence.problems
            if evidence.problems:
                terminal.say(f"FAIL {name}: {len(evidence.problems)} problems", "red")
                continue
            terminal.say(f"ok   {name}: {_summary(evidence, quick)}", "green")
            for meter, formula in evidence.formulas.items():
                terminal.say(f"{meter} = {formula}", "dim", 5)
    if write:
        write_figures(library, found)
    else:
        problems += figure_problems(library, found)
    if evidence_path is not None and proved:
        evidence_path.write_text(evidence_text(library, proved), encoding="utf-8")
        terminal.say(f"written: {evidence_path}")
    return problems


def _summary(evidence: Evidence, quick: bool) -> str:
    parts = [f"{evidence.singles} mistakes named"]
    if not quick:
        parts.append(f"{evidence.told_apart} pairs told apart")
    if evidence.mutants is not None:
        count = evidence.mutants
        parts.append(f"{count.killed} mutants killed, {count.equivalent} equivalent")
    return ", ".join(parts)


def _progress(text: str) -> None:
    """One line on standard error that is rewritten; only on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text[:70]}")
        sys.stderr.flush()
