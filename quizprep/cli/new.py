"""``quizprep new``: templates of content, which the check accepts once they are filled in."""

from __future__ import annotations

import re
from pathlib import Path

import click

from quizprep.authoring.scaffold import (
    KINDS,
    MARK,
    RUNTIMES,
    new_bank,
    new_exercise,
    new_question,
    with_question,
)
from quizprep.authoring.schemas import FOLDER, modeline, schema_files
from quizprep.cli.options import EXERCISES, HELP_NAMES, quoted, writing
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Library, plain_id, shipped_root
from quizprep.errors import UsageError
from quizprep.files import replace_file

_ID = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
_MODULE = re.compile(r"[a-z][a-z0-9_]*")

_FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Your folder with content; this one unless you name another. It is made if missing.",
)
_SHIPPED = click.option(
    "--shipped", is_flag=True, help="Allow writing among the content that comes with quizprep."
)


@click.group(context_settings=HELP_NAMES)
def new() -> None:
    """Begin a question or an exercise of your own."""


@new.command()
@click.argument("topic")
@click.option("--kind", type=click.Choice(KINDS), default="open", help="What kind (default open).")
@click.option("--id", "id", help="Its id; permanent once it was answered.")
@_FOLDER
@_SHIPPED
def question(topic: str, kind: str, id: str | None, folder: Path, shipped: bool) -> None:
    """Append a question to the bank TOPIC in your folder; a missing bank is created.

    The rest of the bank is left as it is, to the letter.
    """
    library = Library(folder)
    known = {plain_id(name): name for name in library.topics}
    name = known.get(plain_id(topic), topic.strip().lower())
    _require(_ID, name, "a topic", "lower-case letters, digits and hyphens, such as kv-cache")
    path = library.question_folder / f"{name}.yaml"
    _refuse_shipped(path, shipped)
    if path.exists():
        bank = library.bank(name)  # raises ContentError: a faulty bank is mended first
        taken = {plain_id(q.id) for q in bank.questions}
        text = _text(path)
    else:
        taken, text = set(), modeline("bank", path, folder) + new_bank(name)
    chosen = id or _free_id(name, taken)
    _require(_ID, chosen, "a question", "lower-case letters, digits and hyphens, such as kv-bytes")
    if plain_id(chosen) in taken:
        raise UsageError(f"{path} has a question called {chosen} already.", hint="Choose an --id.")
    _replace(path, with_question(path, text, new_question(kind, chosen)))
    _write_schemas(folder)
    terminal = Terminal()
    terminal.say(f"Added the question {chosen} ({kind}) at the end of {path}.")
    terminal.say(f"Write what stands behind each {MARK}. Then:")
    where = quoted(folder)
    terminal.block(f"quizprep check --banks {where}\nquizprep ask --bank {where} {name}", 2)


@new.command()
@click.argument("exercise_id", metavar="ID")
@click.option("--runtime", type=click.Choice(RUNTIMES), default="torch", help="torch or numpy.")
@_FOLDER
@_SHIPPED
def exercise(exercise_id: str, runtime: str, folder: Path, shipped: bool) -> None:
    """Write the files of the exercise ID into your folder: a small one that works, to be changed.

    They go to exercises/ID and solutions/ID.py; no file that exists is touched.
    """
    id = plain_id(exercise_id)
    _require(_MODULE, id, "an exercise", "a Python name in lower case, such as causal_mask")
    _refuse_shipped(folder / "exercises" / id, shipped)
    if not shipped and id in map(plain_id, Library(shipped_root()).exercise_ids):
        raise UsageError(
            f"An exercise called {id} comes with quizprep, and attempts are stored by id.",
            hint="Choose another ID.",
        )
    files = {folder / path: text for path, text in new_exercise(id, runtime).items()}
    spec = folder / "exercises" / id / "exercise.yaml"
    files[spec] = modeline("exercise", spec, folder) + files[spec]
    for path in (folder / "exercises" / id, folder / "solutions" / f"{id}.py"):
        if path.exists():
            raise UsageError(
                f"{path} exists already; nothing was written.", hint="Choose another ID."
            )
    for path, text in files.items():
        _replace(path, text)
    _write_schemas(folder)
    terminal = Terminal()
    for path in files:
        terminal.say(f"Wrote {path}")
    terminal.say(f"It works as it stands. Write your own over each {MARK}. Then:")
    # --write keeps the cost that the solution was measured to have; later checks compare.
    where = quoted(folder)
    lines = [f"quizprep check --write --exercise {id} {where}"]
    if not shipped:
        lines.append(f"quizprep start {id} {EXERCISES} {where}")
    terminal.block("\n".join(lines), 2)


@new.command()
@_FOLDER
def schemas(folder: Path) -> None:
    """Write JSON Schemas of banks and exercises into your folder, for your editor.

    New questions and exercises bring them along.
    """
    for path in _write_schemas(folder):
        click.echo(f"Wrote {path}")


def _write_schemas(folder: Path) -> list[Path]:
    """Write those that are missing or of another version."""
    made = {folder / FOLDER / name: text for name, text in schema_files().items()}
    for path, text in made.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            _replace(path, text)
    return list(made)


def _require(pattern: re.Pattern[str], text: str, noun: str, example: str) -> None:
    if not pattern.fullmatch(text) or len(text) > 80:
        raise UsageError(f"{text!r} cannot be the name of {noun}.", hint=f"Use {example}.")


def _refuse_shipped(path: Path, allowed: bool) -> None:
    root = shipped_root().resolve()
    inside = any(path.resolve().is_relative_to(root / name) for name in ("questions", "exercises"))
    if inside and not allowed:
        raise UsageError(
            f"{path} would be among the content that comes with quizprep.",
            hint="Name a folder of your own with --folder. To change quizprep itself: --shipped.",
        )


def _free_id(topic: str, taken: set[str]) -> str:
    number = 1
    while plain_id(f"{topic}-{number}") in taken:
        number += 1
    return f"{topic}-{number}"


def _text(path: Path) -> str:
    """The text of a file, its line endings unchanged."""
    with path.open(encoding="utf-8", newline="") as stream:
        return stream.read()


def _replace(path: Path, text: str) -> None:
    """Write a file completely or not at all."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())
