"""``quizprep mcp``: the program as tools for an assistant."""

from __future__ import annotations

from pathlib import Path

import click

from quizprep.cli.options import exercises_option, library_in


@click.command()
@exercises_option
def mcp(folder: Path | None) -> None:
    """Serve questions, hints and gradings to an assistant over the Model Context Protocol.

    An assistant starts this command itself and talks to it through standard input and output.
    """
    from quizprep.mcp import serve

    serve(library_in(folder))
