"""The IPython extension: ``%load_ext quizprep``, then ``%quizprep`` and ``%%grade``.

A cell is graded in a process of its own, confined, and does not run in the kernel. What is shown
has a form for the notebook and one for terminals.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError as MagicError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from quizprep.api import as_html, as_text
from quizprep.content.library import Library, path_order
from quizprep.errors import QuizprepError, UsageError
from quizprep.practice import Data, Practice

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

USAGE = """%quizprep list            the exercises, in a sensible order
%quizprep show EXERCISE   the task
%quizprep start EXERCISE  a new cell with the starter
%quizprep hint EXERCISE   the next hint
%quizprep ask [TOPIC]     a question; answer with %quizprep answer REPLY
%quizprep flip LETTERS    corrects what was heard in an open answer
%%grade EXERCISE          grades the cell; nothing of it runs here"""


class Shown:
    """Something to show: HTML in a notebook, text in a terminal."""

    def __init__(self, text: str, html: str | None = None, markdown: str | None = None) -> None:
        self._text = text
        self._other = {"text/html": html, "text/markdown": markdown}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self._text, **{k: v for k, v in self._other.items() if v}}

    def __repr__(self) -> str:
        return self._text


@magics_class
class QuizprepMagics(Magics):
    """The magics of one kernel.

    asked   the id of the question that waits for an answer; empty if none does
    marked  the id of the last one that was answered
    """

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._library = Library()
        self._practice = Practice(self._library)
        self._asked = self._marked = ""

    @line_magic
    def quizprep(self, line: str) -> Shown | None:
        """List, show, start, hint, ask, answer, flip; alone, it says how."""
        verb, _, rest = line.strip().partition(" ")
        actions = {
            "list": self._list,
            "show": self._show,
            "start": self._start,
            "hint": self._hint,
            "ask": self._ask,
            "answer": self._answer,
            "flip": self._flip,
        }
        if verb not in actions:
            return Shown(USAGE)
        try:
            return actions[verb](rest.strip())
        except QuizprepError as error:
            raise _told(error) from error

    @cell_magic
    def grade(self, line: str, cell: str) -> Shown:
        """Grade the cell as the solution of an exercise, and store the verdict.

        With --no-record nothing is stored.
        """
        words = line.split()
        names = [word for word in words if word != "--no-record"]
        try:
            if len(names) != 1:
                raise UsageError("Name one exercise: %%grade EXERCISE")
            verdict = self._practice.verdict(names[0], cell, record=names == words)
        except QuizprepError as error:
            raise _told(error) from error
        return Shown(as_text(verdict), html=as_html(verdict))

    def close(self) -> None:
        """End the processes that grade."""
        self._practice.close()

    def _list(self, _: str) -> Shown:
        rows = [
            f"{each.id:24} {each.spec.level.value:8} {each.spec.minutes:3} min  {each.spec.title}"
            for each in path_order(self._library.exercises)
        ]
        return Shown("\n".join(rows))

    def _show(self, exercise: str) -> Shown:
        text = self._library.exercise(exercise).text("README.md")
        return Shown(text, markdown=text)

    def _start(self, exercise: str) -> None:
        found = self._library.exercise(exercise)
        assert self.shell is not None
        self.shell.set_next_input(f"%%grade {found.id}\n{found.text('starter.py')}")

    def _hint(self, exercise: str) -> Shown:
        hints = self._practice.next_hint(exercise)["hints"]
        return _plain([f"Hint {place}: {hint}" for place, hint in enumerate(hints, start=1)])

    def _ask(self, topic: str) -> Shown:
        asked = self._practice.ask(topic)
        if asked["question"] is None:
            return Shown("Nothing is due.")
        self._asked = asked["question"]
        options = (f"  {letter}) {text}" for letter, text in asked.get("options", {}).items())
        symbols = (f"  {name}: {text}" for name, text in asked.get("symbols", {}).items())
        parts = [asked["ask"], asked.get("snippet", "").rstrip(), *options, *symbols]
        return _plain([*filter(None, parts), "Answer with: %quizprep answer REPLY"])

    def _answer(self, reply: str) -> Shown:
        if not self._asked:
            raise UsageError("No question is open.", hint="%quizprep ask")
        marked = self._practice.mark(self._asked, reply)
        if not marked["marked"]:
            return Shown(marked["expected"])
        self._asked, self._marked = "", self._asked
        head = "Right." if marked["score"] >= 1 else f"{round(100 * marked['score'])}%."
        says = (f"  {text}" for text in marked["says"])
        told = [f"Answer: {marked['answer']}", f"Why: {marked['why']}"]
        return _plain([head, *says, *_heard(marked), *told])

    def _flip(self, letters: str) -> Shown:
        marked = self._practice.correct_mark(self._marked, letters)
        return _plain([f"{round(100 * marked['score'])}%.", *_heard(marked)])


def load(shell: InteractiveShell) -> None:
    """Register the magics with a kernel."""
    shell.register_magics(QuizprepMagics(shell))


def unload(shell: InteractiveShell) -> None:
    """End the processes that grade; the magics stay registered, and start them again."""
    shell.magics_manager.registry[QuizprepMagics.__name__].close()


def _heard(marked: Data) -> list[str]:
    """The rows of what was heard in an open answer; none for other kinds."""
    rows = [f"  {row['letter']}) {row['heard']}: {row['point']}" for row in marked.get("heard", ())]
    how = "  If that is not fair: %quizprep flip LETTERS"
    return ["What I heard:", *rows, how] if rows else []


def _plain(lines: Sequence[str]) -> Shown:
    text = "\n".join(lines)
    return Shown(text, html=f'<div style="white-space:pre-wrap">{escape(text)}</div>')


def _told(error: QuizprepError) -> MagicError:
    """An error that IPython shows in one line, without a traceback."""
    return MagicError(" ".join(filter(None, (error.message, error.hint))))
