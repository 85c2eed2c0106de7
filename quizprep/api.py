"""The Python interface: grade a source, get a verdict.

    from pathlib import Path
    from quizprep import as_text, grade

    verdict = grade("causal_mask", Path("causal_mask.py"))
    if not verdict.passed:
        print(as_text(verdict))

Everything is confined and judged as in ``quizprep grade``. Nothing is stored unless ``record`` is
true. Names listed in ``quizprep.__all__`` follow semantic versioning; anything else may change.
"""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path
from types import TracebackType

from quizprep.content.library import Exercise, Library
from quizprep.errors import QuizprepError, UsageError
from quizprep.grading import report
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.loop import store_attempt
from quizprep.grading.pool import Pool
from quizprep.grading.submission import MAX_SOURCE, hidden_folders, read_submission
from quizprep.grading.verdict import Verdict

__all__ = ["GradingSession", "Library", "QuizprepError", "Verdict", "as_html", "as_text", "grade"]


def grade(
    exercise: str,
    source: str | bytes | Path,
    *,
    library: Library | None = None,
    seed: int | None = None,
    require_confinement: bool = False,
    record: bool = False,
) -> Verdict:
    """The verdict on one submission.

    exercise             its id; hyphens and underscores are alike
    source               the text of the submission, or the ``Path`` of a file with it
    library              where the exercise is; those that are shipped if left out
    seed                 repeats the cases of an earlier verdict
    require_confinement  do not run code that this system cannot confine completely
    record               store the verdict among the user's own attempts, as ``quizprep grade`` does

    Whatever the submission does is a failed stage of the verdict. Raises QuizprepError for an
    unknown exercise, a file that cannot be read or packages that are missing. Each call imports the
    exercise's runtime anew; use a GradingSession to grade several.
    """
    with GradingSession(library, require_confinement=require_confinement, record=record) as session:
        return session.grade(exercise, source, seed=seed)


class GradingSession:
    """Grades many submissions, one after the other; torch is imported once for all of them.

    Use it in a ``with`` block, or ``close`` it. It belongs to one thread; several sessions may
    grade at once.
    """

    def __init__(
        self,
        library: Library | None = None,
        *,
        require_confinement: bool = False,
        record: bool = False,
    ) -> None:
        """The arguments are those of ``grade``; ``record`` may be changed between gradings."""
        given = library or Library()
        # An absolute path: the processes that grade have other working folders.
        self.library = replace(given, root=given.root.resolve())
        self.record = record
        self._pool = Pool()
        self._grader = Grader(
            self._pool, hidden_folders(self.library), require_confinement=require_confinement
        )

    def grade(
        self, exercise: str, source: str | bytes | Path, *, seed: int | None = None
    ) -> Verdict:
        """The verdict on one submission; see the function ``grade``."""
        found = self.library.exercise(exercise)
        verdict = self._grader.grade(found, _submission(found, source), seed)
        if self.record:
            from quizprep.quiz import times
            from quizprep.store import Store

            with Store.open() as store:
                store_attempt(store, verdict, times.now())
        return verdict

    def warm_up(self, exercise: str) -> None:
        """Begin to import the exercise's runtime in the background."""
        self._grader.warm_up(self.library.exercise(exercise))

    def close(self) -> None:
        """End the processes that grade."""
        self._pool.__exit__(None, None, None)

    def __enter__(self) -> GradingSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def as_text(verdict: Verdict) -> str:
    """The report of a verdict as ``quizprep grade`` prints it, without colour or wrapping."""
    return "\n".join(" " * line.indent + line.text for line in report.lines(verdict))


_COLOURS = {"green": "#1f7a3d", "yellow": "#9a6700", "red": "#b3261e", "dim": "#6a737d"}


def as_html(verdict: Verdict) -> str:
    """The report of a verdict as one HTML element with its own style; all texts are escaped."""
    paragraphs = []
    for line in report.lines(verdict):
        look = f"margin:0 0 0 {line.indent}ch;"
        if line.style == "bold":
            look += "font-weight:bold;"
        elif line.style is not None:
            look += f"color:{_COLOURS[line.style]};"
        paragraphs.append(f'<p style="{look}">{escape(line.text)}</p>')
    style = "font-family:monospace;white-space:pre-wrap;line-height:1.4;"
    return f'<div class="quizprep-verdict" style="{style}">{"".join(paragraphs)}</div>'


def _submission(exercise: Exercise, source: str | bytes | Path) -> Submission:
    if isinstance(source, Path):
        return read_submission(source, f"quizprep start {exercise.id}")
    if isinstance(source, str):
        if source.endswith(".py") and "\n" not in source:
            raise UsageError(
                f"{source!r} looks like the name of a file, and a str is taken as source text.",
                hint=f"Pass Path({source!r}).",
            )
        try:
            source = source.encode()
        except UnicodeEncodeError as error:
            raise UsageError("The source text cannot be encoded as UTF-8.") from error
    if len(source) > MAX_SOURCE:
        raise UsageError("The source text is larger than 1 MiB.")
    return Submission(f"{exercise.id}.py", source)
