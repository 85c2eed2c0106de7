"""The command line: a table of commands, each imported only when it is used."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import NamedTuple

import click

from quizprep import __version__
from quizprep.errors import ExitCode, QuizprepError, UsageError


class _Entry(NamedTuple):
    module: str
    function: str
    summary: str


COMMANDS: dict[str, _Entry] = {
    "ask": _Entry("ask", "ask", "A round of questions, marked and scheduled."),
    "mock": _Entry("mock", "mock", "A timed interview, with a debrief."),
    "undo": _Entry("ask", "undo", "Take the last answer back."),
    "progress": _Entry("progress", "progress", "Recall, streak, exercises passed, what is weak."),
    "list": _Entry("catalogue", "list_command", "What there is: topics and exercises."),
    "search": _Entry("search", "search", "Find questions, exercises and concepts by words."),
    "show": _Entry("catalogue", "show", "The task of an exercise."),
    "start": _Entry("catalogue", "start", "Copy an exercise's starter into your folder."),
    "hint": _Entry("catalogue", "hint", "The next hint for an exercise."),
    "grade": _Entry("grade", "grade", "Grade your solution of an exercise."),
    "web": _Entry("web", "web", "Practise in the browser, on this machine."),
    "cohort": _Entry("cohort", "cohort", "Grade what a course or study group handed in."),
    "mcp": _Entry("mcp", "mcp", "Serve the program to an assistant."),
    "sheet": _Entry("sheet", "sheet", "A study sheet from the same content."),
    "reset": _Entry("history", "reset", "Let an exercise, topic or question count as not tried."),
    "export": _Entry("history", "export_command", "Write everything stored as JSON lines."),
    "import": _Entry("history", "import_command", "Add what export wrote, without doubling."),
    "backup": _Entry("history", "backup", "Copy the store to a file."),
    "check": _Entry("check", "check", "Test the content itself: banks and exercises."),
    "new": _Entry("new", "new", "Begin a question or an exercise of your own."),
}


_COMPLETION = """\b
To complete commands, topics and exercises by Tab, add to ~/.bashrc:
  eval "$(_QUIZPREP_COMPLETE=bash_source quizprep)"
For zsh say zsh_source; for fish: _QUIZPREP_COMPLETE=fish_source quizprep | source
"""


class _Table(click.Group):
    """Commands by name; a module is imported when its command is used, so --help imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"quizprep.cli.{entry.module}")
        command: click.Command = getattr(module, entry.function)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from quizprep.text import did_you_mean

            raise UsageError(
                f"There is no command called {args[0]!r}.{did_you_mean(args[0], COMMANDS)}",
                hint=f"There are: {', '.join(COMMANDS)}.",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.command(
    cls=_Table,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_COMPLETION,
)
@click.version_option(__version__, prog_name="quizprep")
@click.pass_context
def program(ctx: click.Context) -> None:
    """Find out whether you really know attention: questions, graded kernels, study sheets.

    Without a command: today in one screen, and what to type next.
    """
    if ctx.invoked_subcommand is None:
        from quizprep.cli.today import show_today

        show_today()


def main() -> None:
    """Run the program: every error that a user can cause ends in one message and an exit code."""
    from quizprep.cli.terminal import prepare_streams

    prepare_streams()
    try:
        status = program.main(standalone_mode=False)
    except QuizprepError as error:
        report_error(error)
        status = error.exit_code
    except click.ClickException as error:
        error.show()
        status = ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nStopped.", err=True)
        status = ExitCode.NOT_PASSED
    except Exception as error:
        _report_fault(error)
        status = ExitCode.INTERNAL
    sys.exit(int(status or 0))


def _report_fault(error: Exception) -> None:
    """Say in one line that this is our bug; the traceback goes to a file for the report."""
    import tempfile
    import traceback

    line = f"quizprep: an internal fault, {type(error).__name__}: {error}"
    with (
        contextlib.suppress(OSError),
        tempfile.NamedTemporaryFile(
            "w", prefix="quizprep-fault-", suffix=".txt", delete=False
        ) as file,
    ):
        traceback.print_exception(error, file=file)
        line += f"\nThis is a bug. The details for a report are in {file.name}"
    click.echo(line, err=True)


def report_error(error: QuizprepError) -> None:
    """Print what is wrong and what to do about it, on standard error."""
    from quizprep.text import printable

    for line in (f"quizprep: {error.message}", error.hint):
        if line:
            click.echo(printable(line, keep="\n"), err=True)
