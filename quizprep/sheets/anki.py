r"""A sheet as an Anki deck: one note a question, mathematics in Anki's ``\( \)``.

A note's guid is the question's id, so importing again updates the notes and keeps the
learner's own schedule. The same seed draws the same numbers, so a note keeps its numbers too.
Pictures stand inside the note as SVG, not beside it as files: so they take the card's colours,
by day and by night.

The package is a zip with a SQLite collection of schema 11, which every Anki imports; Anki itself
writes it as "support older Anki versions". It is written here and not by genanki, the library
for it, which had its last release in 2023, brings four packages, and takes times and ids from
the clock unless told otherwise.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import sqlite3
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from quizprep.sheets.html import line_html, prose_html
from quizprep.sheets.model import Card, Picture, Section, Sheet
from quizprep.sheets.svg import PAGE
from quizprep.sheets.templating import MARKER, TEMPLATES, environment, verbatim

DECK = "quizprep"
_VERSION = 11
_NOT_SYNCED = -1
_FIRST_ID = 1_400_000_000_000
_ID_RANGE = 200_000_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Note:
    """A note: its permanent id, its deck as a path with ``::``, and its fields, the front first."""

    guid: str
    deck: str
    fields: tuple[str, ...]
    tags: tuple[str, ...]


def render_anki(sheet: Sheet, now: datetime) -> bytes:
    """An ``.apkg`` file: the same sheet and second give the same bytes.

    Anki replaces a note where the imported one is newer, hence ``now``.
    """
    notes = [_note(section, card) for section in sheet.sections for card in section.cards]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = MARKER.encode()
        for name, data in (
            ("collection.anki2", _collection(notes, int(now.timestamp()))),
            ("media", b"{}"),
        ):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def _note(section: Section, card: Card) -> Note:
    made = _environment()
    references = {reference.id: reference for reference in section.references}
    front = made.get_template("anki-front.html.j2").render(card=card)
    back = made.get_template("anki-back.html.j2").render(
        card=card, references=references, picture=picture_of(section, card)
    )
    return Note(
        guid=f"quizprep-{card.id}",
        deck=f"{DECK}::{section.title.replace('::', ': ')}",
        fields=(front.strip(), back.strip()),
        tags=(
            "quizprep",
            f"topic::{section.topic}",
            f"level::{card.level}",
            f"kind::{card.kind}",
            *(f"concept::{name}" for name, _ in card.concepts),
        ),
    )


def picture_of(section: Section, card: Card) -> Picture | None:
    """The picture on the back of a card: that of the first of its concepts that has one."""
    found = (p for name, _ in card.concepts for p in section.pictures if name in p.concepts)
    return next(found, None)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(autoescape=True)
    made.filters |= {
        "prose": partial(prose_html, math=_math),
        "line": partial(line_html, math=_math),
        "math": _math,
        "svg": lambda picture: Markup(picture.svg(PAGE)),
    }
    return made


def _math(latex: str) -> Markup:
    """A formula as Anki hands it to MathJax."""
    return Markup(rf"\({verbatim(latex)}\)")


def stable_id(*words: str) -> int:
    """An id that depends on nothing but the words; Anki reads ids as milliseconds since 1970."""
    digest = hashlib.sha256("\x1f".join(words).encode()).digest()
    return _FIRST_ID + int.from_bytes(digest[:8]) % _ID_RANGE


def _collection(notes: Sequence[Note], now: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "collection.anki2"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(_template("anki.sql"))
            _fill(connection, notes, now)
            connection.commit()
        return path.read_bytes()


def _fill(sql: sqlite3.Connection, notes: Sequence[Note], now: int) -> None:
    blank = json.loads(_template("anki.json"))
    model = stable_id("note type", blank["model"]["name"])
    decks = {note.deck: stable_id("deck", note.deck) for note in notes}
    changed = {"mod": now}
    kind = blank["model"] | changed | {"id": model, "css": _template("anki.css")}
    listed = {
        number: blank["deck"] | {"id": number, "name": name} for name, number in decks.items()
    }
    sql.execute(
        "insert into col values (1, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?, '{}')",
        (
            now,
            now * 1000,
            now * 1000,
            _VERSION,
            json.dumps(blank["settings"] | {"curModel": str(model)}),
            json.dumps({model: kind}),
            json.dumps({n: deck | changed for n, deck in {1: blank["deck"], **listed}.items()}),
            json.dumps({1: blank["options"] | changed}),
        ),
    )
    for place, note in enumerate(notes, 1):
        number = stable_id("note", note.guid)
        first = _TAG.sub("", note.fields[0])
        checksum = int(hashlib.sha1(first.encode()).hexdigest()[:8], 16)
        sql.execute(
            "insert into notes values (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')",
            (number, note.guid, model, now, _NOT_SYNCED, f" {' '.join(note.tags)} ",
             "\x1f".join(note.fields), first, checksum),
        )  # fmt: skip
        sql.execute(
            "insert into cards values (?, ?, ?, 0, ?, ?, 0, 0, ?, 0, 0, 0, 0, 0, 0, 0, 0, '')",
            (stable_id("card", note.guid), number, decks[note.deck], now, _NOT_SYNCED, place),
        )


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
