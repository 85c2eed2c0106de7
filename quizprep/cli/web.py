"""``quizprep web``: the whole program in the browser, on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from quizprep.cli.options import exercises_option, library_in


@click.command()
@click.option("--no-open", is_flag=True, help="Print the address, and open no browser.")
@exercises_option
def web(no_open: bool, folder: Path | None) -> None:
    """Practise in the browser: questions, exercises and their verdicts, progress, sheets.

    Nothing leaves this machine, and only the address that is printed opens the pages.
    """
    from quizprep.web.server import serve

    serve(library_in(folder), not no_open, lambda text: click.echo(text))
