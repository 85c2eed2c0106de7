"""The kernel of an interview: written in the learner's editor, graded like any submission."""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
from pathlib import Path

from quizprep.cli.terminal import Leave, Terminal
from quizprep.content.library import Exercise, Library
from quizprep.quiz import times
from quizprep.quiz.interview import Coded, kernel_file, kernel_task
from quizprep.store import Interview, Store


def write_kernel(
    terminal: Terminal, library: Library, store: Store, exercise: Exercise, interview: Interview
) -> Coded:
    """Edit and grade until the kernel passes or is skipped; raises Leave if the learner leaves."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    why = _why_not(exercise, editor)
    if why:
        terminal.say(f"Left out: {why}", "yellow")
        return Coded(exercise.id, False, skipped=why)
    path = kernel_file(store, exercise, interview)
    terminal.formatted(f"{kernel_task(exercise)}\n\n", "markdown")
    terminal.say(f"Your file: {path}")
    coded = Coded(exercise.id, False, skipped="you passed it over.")
    while True:
        again = " again" if not coded.skipped else ""
        terminal.say(f"Enter opens it in your editor{again}; s goes on, q leaves.", "dim")
        reply = terminal.ask()
        key = "q" if reply is None else reply.strip().casefold()
        if key == "q":
            raise Leave
        if key == "s":
            return coded
        if _edit(terminal, editor, path):
            coded = _grade(terminal, library, store, exercise, path)
        if coded.passed:
            return coded


def _why_not(exercise: Exercise, editor: str) -> str:
    """Why no kernel can be written here, as a sentence; empty if one can."""
    if not editor:
        return "there is no editor; set EDITOR to yours."
    if importlib.util.find_spec(exercise.spec.runtime) is None:
        return "grading needs pip install 'quizprep[grade]'."
    return ""


def _edit(terminal: Terminal, editor: str, path: Path) -> bool:
    """Run the editor; False if it failed, after saying why."""
    try:
        done = subprocess.run([*shlex.split(editor), str(path)], check=False)
    except (OSError, ValueError) as error:
        terminal.say(f"{editor} could not be run: {error}. Is EDITOR right?", "red")
        return False
    if done.returncode != 0:
        terminal.say(f"{editor} ended with code {done.returncode}; nothing was graded.", "red")
    return done.returncode == 0


def _grade(
    terminal: Terminal, library: Library, store: Store, exercise: Exercise, path: Path
) -> Coded:
    from quizprep.cli import grade
    from quizprep.grading.grader import Grader
    from quizprep.grading.loop import store_attempt
    from quizprep.grading.pool import Pool
    from quizprep.grading.submission import hidden_folders, read_submission

    submission = read_submission(path, f"quizprep start {exercise.id}")
    with Pool() as pool:
        verdict = Grader(pool, hidden_folders(library)).grade(exercise, submission)
    store_attempt(store, verdict, times.now())
    grade.print_verdict(terminal, verdict)
    says = tuple(mistake.says for mistake in verdict.mistakes)
    return Coded(exercise.id, verdict.passed, mistakes=says)
