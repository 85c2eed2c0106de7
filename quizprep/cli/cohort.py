"""``quizprep cohort``: a whole course graded, and its results in the format of the place."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from quizprep import __version__
from quizprep.cli import report_error
from quizprep.cli.options import FOLDER, exercises_option, library_in, writing
from quizprep.cli.terminal import Terminal, status
from quizprep.cohort import formats, grading
from quizprep.cohort.credit import load_credit
from quizprep.cohort.grading import Plan, Run, Settings
from quizprep.cohort.local import cores
from quizprep.cohort.results import Results
from quizprep.cohort.standing import Standing, standing
from quizprep.cohort.submissions import LAYOUT, ONLY_STUDENT, scan, scan_map
from quizprep.errors import ExitCode, QuizprepError, UsageError
from quizprep.files import replace_file
from quizprep.text import counted, printable

FORMATS = (*formats.TEXTS, "canvas", "html", *formats.STUDENT_FILES, "parquet")
_IN_FOLDERS = ("html", *formats.STUDENT_FILES)
_SHOWN = 5
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("handed_in", metavar="FOLDER", type=FOLDER)
@click.option("--layout", default=LAYOUT, show_default=True, help="Where files lie; * is anything.")
@click.option("--map", "mapping", type=_FILE, help="A CSV file instead: student,exercise,file.")
@click.option("--exercise", "chosen", multiple=True, help="Grade only this one; repeatable.")
@click.option(
    "--results",
    "results_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where results are kept: FOLDER.quizprep.sqlite beside FOLDER, unless you name a file.",
)
@click.option("--format", "wanted", type=click.Choice(FORMATS), help="Also write the results.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write, or the folder for html, gradescope and prairielearn; texts go to "
    "standard output without it.",
)
@click.option("--credit", "credit_file", type=_FILE, help="A YAML file with the rule for points.")
@click.option("--gradebook", type=_FILE, help="An export of Canvas's gradebook, for its students.")
@click.option("--anonymous", is_flag=True, help="Write numbers instead of names.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Gradings at once; one a core.")
@click.option("--scheduler", metavar="ADDRESS", help="Grade on the workers of a Dask scheduler.")
@click.option(
    "--require-confinement", is_flag=True, help="Refuse to run code that cannot be confined."
)
@exercises_option
def cohort(
    handed_in: Path,
    layout: str,
    mapping: Path | None,
    chosen: tuple[str, ...],
    results_file: Path | None,
    wanted: str | None,
    output: Path | None,
    credit_file: Path | None,
    gradebook: Path | None,
    anonymous: bool,
    workers: int | None,
    scheduler: str | None,
    require_confinement: bool,
    folder: Path | None,
) -> int:
    """Grade everything that a group handed in: FOLDER/STUDENT/EXERCISE.py.

    Each result is kept at once: a run that was stopped goes on where it was, and a second run
    grades only what is new. Your own practice is not touched.
    """
    _check(wanted, output, gradebook, anonymous)
    alone = mapping is None and "{student}" not in layout
    library = library_in(folder)
    names = tuple(library.exercise(name).id for name in chosen) or library.exercise_ids
    credit = load_credit(credit_file, library.exercise_ids)
    scanned = scan_map(mapping, names) if mapping else scan(handed_in, names, layout)
    settings = Settings(workers or cores(), scheduler, require_confinement)
    with Results(results_file or _beside(handed_in)) as results:
        planned = grading.plan(scanned, handed_in, library, results)
        try:
            run = grading.grade(planned, library, results, settings, _show)
        except KeyboardInterrupt:
            status()
            click.echo("Stopped. What was graded is kept; the same command goes on.", err=True)
            return ExitCode.NOT_PASSED
        finally:
            status()
        group = standing(
            grading.verdicts(planned, results),
            results.versions(),
            credit,
            __version__,
            lambda name: library.exercise(name).spec.title,
            planned.refused,
            # Asked for one exercise, the others are no surprise.
            () if chosen else scanned.unknown,
            results.numbers(student for student, _ in planned.keys) if anonymous else None,
            expected=names if chosen else (),
            students=(ONLY_STUDENT,) if alone and not anonymous else (),
        )
    _say(group, planned, run, err=wanted is not None and output is None)
    if wanted is not None:
        _write(group, wanted, output, gradebook, alone)
    for fault in dict.fromkeys(run.faults):
        report_error(QuizprepError(f"A grading failed by a fault of quizprep. {fault}"))
    if run.faults:
        return ExitCode.INTERNAL
    return ExitCode.NOT_PASSED if planned.refused else ExitCode.PASSED


def _check(
    wanted: str | None, output: Path | None, gradebook: Path | None, anonymous: bool
) -> None:
    """Raise UsageError for options that do not go together, before anything is graded."""
    if output is not None and wanted is None:
        raise UsageError("--output needs --format.", hint=f"One of: {', '.join(FORMATS)}.")
    if output is None and wanted in (*_IN_FOLDERS, "parquet"):
        raise UsageError(f"--format {wanted} needs --output.", hint="Name a folder or a file.")
    if gradebook is not None and (wanted != "canvas" or anonymous):
        raise UsageError("--gradebook goes with --format canvas, and with names.")


def _beside(folder: Path) -> Path:
    """The file of results of a folder; not inside it, where students' files lie."""
    place = folder.resolve()
    return place.parent / f"{place.name or 'root'}.quizprep.sqlite"


def _show(run: Run) -> None:
    faults = f", {counted(len(run.faults), 'fault')}" if run.faults else ""
    text = f"{run.done}/{run.total} graded{faults}"
    if sys.stderr.isatty():
        status(text)
    elif run.done in (1, run.total) or run.done % 100 == 0:
        click.echo(text, err=True)


def _say(group: Standing, planned: Plan, run: Run, err: bool) -> None:
    """The summary: what was found and graded, and how each exercise went."""
    for part, count in group.unconfined.items():
        text = f"Not confined by {part} in {counted(count, 'grading')}: code had more rights than "
        click.echo(f"{printable(text)}it should.", err=True)
    if err:  # standard output is for the format
        click.echo(_counts(group, planned, run), err=True)
        return
    terminal = Terminal()
    terminal.say(_counts(group, planned, run))
    for each in group.refused[:_SHOWN]:
        terminal.say(f"left out: {each.file} {each.why}", "yellow")
    for file in group.unknown[:_SHOWN]:
        terminal.say(f"left out: {file} is named like no exercise", "yellow")
    terminal.table(
        [
            (
                exercise.id,
                f"{exercise.passed} of {len(exercise.entries)} passed",
                ", ".join(f"{mistake.id} {count}" for mistake, count in exercise.mistakes[:3]),
            )
            for exercise in group.exercises
        ]
    )


def _counts(group: Standing, planned: Plan, run: Run) -> str:
    found = len(planned.keys) + group.left_out
    new = {task.key for task in planned.tasks}
    known = sum(key not in new for key in planned.keys.values())
    return (
        f"{counted(found, 'file')}: {counted(len(planned.keys), 'submission')} of "
        f"{counted(len(group.students), 'student')}, {group.left_out} left out; "
        f"{known} known already, {counted(run.done, 'grading')} made now (equal files are graded "
        f"once), {group.not_graded} not graded."
    )


def _write(
    group: Standing, wanted: str, output: Path | None, gradebook: Path | None, alone: bool
) -> None:
    """Write the results in a format."""
    if wanted in _IN_FOLDERS:
        assert output is not None
        with writing(output):
            files = _pages(group) if wanted == "html" else _student_files(group, wanted, alone)
            for name, text in files.items():
                (output / name).parent.mkdir(parents=True, exist_ok=True)
                replace_file(output / name, text.encode("utf-8", "replace"))
        return
    if wanted == "parquet":
        assert output is not None
        with writing(output):
            formats.write_parquet(group, output)
        return
    if wanted == "canvas":
        book = None if gradebook is None else _gradebook(gradebook)
        text = formats.to_canvas(group, book)
    else:
        text = formats.TEXTS[wanted](group)
    if output is None:
        click.echo(text, nl=False)
        return
    with writing(output):
        replace_file(output, text.encode("utf-8", "replace"))


def _gradebook(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error


def _pages(group: Standing) -> dict[str, str]:
    from quizprep.cohort import pages

    made = {"index.html": pages.group_page(group)}
    for student in group.students:
        name = pages.page_name(student.name)
        made[f"students/{name}"] = pages.student_page(student, group)
    return made


def _student_files(group: Standing, wanted: str, alone: bool) -> dict[str, str]:
    """A results.json in a folder for each student; without folders where there is one student."""
    exercises = [exercise.id for exercise in group.exercises]
    make = formats.STUDENT_FILES[wanted]
    return {
        "results.json" if alone else f"{student.name}/results.json": make(
            student, group.credit, exercises
        )
        for student in group.students
    }
