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
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from quizprep.sheets.files import MARKER
from quizprep.sheets.html import line_html, prose_html
from quizprep.sheets.model import Card, Picture, Section, Sheet
from quizprep.sheets.svg import PAGE
from quizprep.sheets.templating import TEMPLATES, environment

DECK = "quizprep"
_SCHEMA = """
create table col (id integer primary key, crt integer not null, mod integer not null,
  scm integer not null, ver integer not null, dty integer not null, usn integer not null,
  ls integer not null, conf text not null, models text not null, decks text not null,
  dconf text not null, tags text not null);
create table notes (id integer primary key, guid text not null, mid integer not null,
  mod integer not null, usn integer not null, tags text not null, flds text not null,
  sfld integer not null, csum integer not null, flags integer not null, data text not null);
create table cards (id integer primary key, nid integer not null, did integer not null,
  ord integer not null, mod integer not null, usn integer not null, type integer not null,
  queue integer not null, due integer not null, ivl integer not null, factor integer not null,
  reps integer not null, lapses integer not null, left integer not null, odue integer not null,
  odid integer not null, flags integer not null, data text not null);
create table revlog (id integer primary key, cid integer not null, usn integer not null,
  ease integer not null, ivl integer not null, lastIvl integer not null, factor integer not null,
  time integer not null, type integer not null);
create table graves (usn integer not null, oid integer not null, type integer not null);
create index ix_notes_usn on notes (usn);
create index ix_cards_usn on cards (usn);
create index ix_revlog_usn on revlog (usn);
create index ix_cards_nid on cards (nid);
create index ix_cards_sched on cards (did, queue, due);
create index ix_revlog_cid on revlog (cid);
create index ix_notes_csum on notes (csum);
"""
_VERSION = 11
_NOT_SYNCED = -1
_FIRST_ID = 1_400_000_000_000
_ID_RANGE = 200_000_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Note:
    """A note: ``guid`` says which one it is, ``deck`` is a path with ``::`` between its parts."""

    guid: str
    deck: str
    fields: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class NoteType:
    """The fields of a note, the first in front, and the style sheet of its cards."""

    name: str
    fields: tuple[str, str]
    css: str


def render_anki(sheet: Sheet, now: datetime) -> bytes:
    """An ``.apkg`` file. Anki takes a note over an older one where it is newer, hence now."""
    notes = [_note(section, card) for section in sheet.sections for card in section.cards]
    css = (TEMPLATES / "anki.css").read_text(encoding="utf-8")
    return package(notes, NoteType("quizprep question", ("Front", "Back"), css), now)


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
            *(f"concept::{concept.id}" for concept in card.concepts),
        ),
    )


def picture_of(section: Section, card: Card) -> Picture | None:
    """The picture that belongs to a question: one about the first of its concepts that has one."""
    for concept in card.concepts:
        for picture in section.pictures:
            if concept.id in picture.concepts:
                return picture
    return None


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(autoescape=True)
    made.filters |= {
        "prose": partial(prose_html, math=_math),
        "line": partial(line_html, math=_math),
        "math": _math,
        "verbatim": lambda text: Markup(escape(text, quote=False)),
        "svg": lambda picture: Markup(picture.svg(PAGE)),
    }
    return made


def _math(latex: str) -> Markup:
    """A formula as Anki hands it to MathJax."""
    return Markup(rf"\({escape(latex, quote=False)}\)")


def package(notes: Sequence[Note], kind: NoteType, now: datetime) -> bytes:
    """The bytes of an ``.apkg``: the same notes, kind and second give the same bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = MARKER.encode()
        for name, data in (
            ("collection.anki2", _collection(notes, kind, int(now.timestamp()))),
            ("media", b"{}"),
        ):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def stable_id(*words: str) -> int:
    """An id that depends on nothing but the words; Anki reads ids as milliseconds since 1970."""
    digest = hashlib.sha256("\x1f".join(words).encode()).digest()
    return _FIRST_ID + int.from_bytes(digest[:8]) % _ID_RANGE


def _collection(notes: Sequence[Note], kind: NoteType, now: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "collection.anki2"
        connection = sqlite3.connect(path)
        try:
            connection.executescript(_SCHEMA)
            _fill(connection, notes, kind, now)
            connection.commit()
        finally:
            connection.close()
        return path.read_bytes()


def _fill(sql: sqlite3.Connection, notes: Sequence[Note], kind: NoteType, now: int) -> None:
    model = stable_id("note type", kind.name)
    decks = {note.deck: stable_id("deck", note.deck) for note in notes}
    sql.execute(
        "insert into col values (1, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?, '{}')",
        (
            now,
            now * 1000,
            now * 1000,
            _VERSION,
            json.dumps(_settings(model)),
            json.dumps({str(model): _model(model, kind, now)}),
            json.dumps({"1": _deck(1, "Default", now)} | _decks(decks, now)),
            json.dumps({"1": _options(now)}),
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


def _decks(decks: dict[str, int], now: int) -> dict[str, Any]:
    return {str(number): _deck(number, name, now) for name, number in decks.items()}


def _deck(number: int, name: str, now: int) -> dict[str, Any]:
    none_today = {f"{each}Today": [0, 0] for each in ("new", "rev", "lrn", "time")}
    return {
        "id": number, "name": name, "mod": now, "usn": _NOT_SYNCED, "desc": "", "dyn": 0,
        "collapsed": False, "browserCollapsed": False, "conf": 1,
        "extendNew": 0, "extendRev": 50, **none_today,
    }  # fmt: skip


def _model(number: int, kind: NoteType, now: int) -> dict[str, Any]:
    front, back = kind.fields
    look = {"sticky": False, "rtl": False, "font": "Arial", "size": 20, "media": []}
    template = {
        "name": "Question", "ord": 0, "qfmt": f"{{{{{front}}}}}",
        "afmt": f"{{{{FrontSide}}}}<hr id=answer>{{{{{back}}}}}",
        "bqfmt": "", "bafmt": "", "did": None,
    }  # fmt: skip
    return {
        "id": number, "name": kind.name, "type": 0, "mod": now, "usn": _NOT_SYNCED, "sortf": 0,
        "did": 1, "tmpls": [template], "css": kind.css, "req": [[0, "any", [0]]],
        "flds": [{"name": name, "ord": n, **look} for n, name in enumerate(kind.fields)],
        "latexPre": "", "latexPost": "", "latexsvg": False, "tags": [], "vers": [],
    }  # fmt: skip


def _settings(model: int) -> dict[str, Any]:
    return {
        "nextPos": 1, "estTimes": True, "activeDecks": [1], "sortType": "noteFld", "timeLim": 0,
        "sortBackwards": False, "addToCur": True, "curDeck": 1, "newBury": True, "newSpread": 0,
        "dueCounts": True, "curModel": str(model), "collapseTime": 1200,
    }  # fmt: skip


def _options(now: int) -> dict[str, Any]:
    return {
        "id": 1, "name": "Default", "mod": now, "usn": 0, "maxTaken": 60, "autoplay": True,
        "timer": 0, "replayq": True, "dyn": False,
        "new": {"delays": [1, 10], "ints": [1, 4, 7], "initialFactor": 2500, "order": 1,
                "perDay": 20, "bury": True, "separate": True},
        "rev": {"perDay": 200, "ease4": 1.3, "fuzz": 0.05, "minSpace": 1, "ivlFct": 1,
                "maxIvl": 36500, "bury": True},
        "lapse": {"delays": [10], "mult": 0, "minInt": 1, "leechFails": 8, "leechAction": 0},
    }  # fmt: skip
