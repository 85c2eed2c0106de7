"""Sheets as Anki packages. That Anki takes them was checked by hand with the anki package
26.9.3: a first import adds every note, the same file again changes nothing, a newer one updates
every note, and the schedule of a card that was reviewed in between survives."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from quizprep.content.library import Library, shipped_root
from quizprep.sheets.anki import render_anki, stable_id
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.model import Sheet
from quizprep.sheets.svg import PAGE
from quizprep.sheets.templating import MARKER, TEMPLATES

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SMALL = Library(Path(__file__).parents[1] / "golden" / "sheets" / "bank")
SHIPPED = Library(shipped_root())


def sheet(library: Library = SMALL, seed: int = 0) -> Sheet:
    return build(library, Wanted(topics=library.topics, seed=seed))


def rows(made: bytes, query: str, tmp_path: Path) -> list[tuple]:
    """What a query finds in a package's collection."""
    path = tmp_path / "collection"
    path.write_bytes(zipfile.ZipFile(io.BytesIO(made)).read("collection.anki2"))
    with sqlite3.connect(path) as connection:
        return connection.execute(query).fetchall()


def test_every_question_is_a_note_with_a_card(tmp_path: Path) -> None:
    """As many notes and cards as questions, each card with its note, in a deck that exists."""
    made = render_anki(sheet(SHIPPED), NOW)
    notes = rows(made, "select guid from notes", tmp_path)
    assert sorted(guid for (guid,) in notes) == sorted(f"quizprep-{q}" for q in SHIPPED.questions)
    cards = rows(made, "select did from cards join notes on notes.id = cards.nid", tmp_path)
    decks = json.loads(rows(made, "select decks from col", tmp_path)[0][0])
    assert len(cards) == len(notes)
    assert {str(deck) for (deck,) in cards} <= set(decks)
    assert "quizprep::The KV cache" in {deck["name"] for deck in decks.values()}


def test_ids_stay_and_times_move_on(tmp_path: Path) -> None:
    """Another day and other numbers give the same ids and guids, with a newer time."""
    query = "select n.id, n.guid, n.mid, c.id, c.did from notes n join cards c on c.nid = n.id"
    first = render_anki(sheet(), NOW)
    later = render_anki(sheet(seed=7), NOW + timedelta(days=1))
    assert rows(first, query, tmp_path) == rows(later, query, tmp_path)
    when = "select min(mod), max(mod) from notes"
    assert rows(first, when, tmp_path)[0][1] < rows(later, when, tmp_path)[0][0]


def test_the_same_sheet_gives_the_same_bytes() -> None:
    """Nothing in a package comes from a clock or from chance."""
    assert render_anki(sheet(), NOW) == render_anki(sheet(), NOW)


def test_ids_do_not_collide() -> None:
    """Ten thousand notes have ten thousand ids, in the range that Anki reads as a time."""
    ids = {stable_id("note", f"question-{n}") for n in range(10_000)}
    assert len(ids) == 10_000
    assert all(10**12 < each < 2 * 10**12 for each in ids)


def test_ids_are_permanent() -> None:
    """The id of a name is what it was in the first release: else an import would duplicate."""
    assert stable_id("note type", "quizprep question") == 1549960413367
    assert stable_id("note", "quizprep-kv-why") == 1449364631125


def test_tags_say_topic_level_kind_and_concept(tmp_path: Path) -> None:
    """A note can be found by each of them."""
    found = rows(
        render_anki(sheet(), NOW),
        "select tags from notes where guid = 'quizprep-small-choice'",
        tmp_path,
    )
    assert set(found[0][0].split()) == {
        "quizprep",
        "topic::small",
        "level::junior",
        "kind::choice",
        "concept::one-idea",
        "concept::other-idea",
    }


def test_mathematics_is_in_ankis_form(tmp_path: Path) -> None:
    r"""Formulas stand between ``\(`` and ``\)``, and no dollar is left."""
    fields = rows(render_anki(sheet(SHIPPED), NOW), "select flds from notes", tmp_path)
    assert any(r"\(\sqrt{d}\)" in text for (text,) in fields)
    assert not any("$" in text for (text,) in fields)
    for (text,) in fields:
        assert text.count(r"\(") == text.count(r"\)")


def test_texts_cannot_become_markup(tmp_path: Path) -> None:
    """Signs of HTML in a bank are text on the card."""
    found = rows(
        render_anki(sheet(), NOW),
        "select flds from notes where guid = 'quizprep-small-code'",
        tmp_path,
    )
    assert "x &lt; 2" in found[0][0] and "True &amp; &lt;b&gt;" in found[0][0]


def test_nothing_is_loaded(tmp_path: Path) -> None:
    """A card asks for no picture, script or style of anyone else; links are all it has."""
    for (text,) in rows(render_anki(sheet(SHIPPED), NOW), "select flds from notes", tmp_path):
        assert not re.search(r"<(img|script|link|iframe|audio)|src=", text)


def test_the_file_says_who_wrote_it() -> None:
    """The marker is in the file, so that the next export may replace it."""
    assert MARKER.encode() in render_anki(sheet(), NOW)


def test_cards_hold_the_picture_of_their_concept(tmp_path: Path) -> None:
    """The back of a card on the causal mask shows that mask; the front of no card shows one."""
    query = "select guid, flds from notes"
    fields = dict(rows(render_anki(sheet(SHIPPED), NOW), query, tmp_path))
    pictured = {
        question.id
        for _, question in SHIPPED.questions.values()
        if question.concepts[0] in ("causal-mask", "packed-mask", "roofline", "kv-cache-size")
    }
    assert len(pictured) > 5
    for name in pictured:
        front, back = fields[f"quizprep-{name}"].split("\x1f")
        assert back.count("<svg") == 1 and 'role="img"' in back and "<desc" in back
        assert "<svg" not in front
    assert "<svg" not in fields["quizprep-scaling-why"]


def test_a_picture_takes_the_colours_of_the_card() -> None:
    """Every custom property that a picture uses has a value by day and by night."""
    css = (TEMPLATES / "anki.css").read_text(encoding="utf-8")
    day, night = css.split(".card.nightMode")
    used = {*re.findall(r"var\((--\w+)\)", " ".join((PAGE.ink, PAGE.soft, PAGE.line)))}
    used |= {*re.findall(r"var\((--\w+)\)", " ".join(PAGE.series))}
    for name in used:
        assert f"{name}:" in day and f"{name}:" in night.split("}")[0]
