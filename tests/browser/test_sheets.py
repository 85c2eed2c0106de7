"""HTML sheets in a real browser: nothing overflows, fades, fails to render or is fetched.

What can be seen without a browser is in ``tests/unit/test_sheets_look.py`` and always runs.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser

from quizprep.content.library import Library, shipped_root
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.html import render_html
from tools.chromium import window

SMALL = Library(Path(__file__).parents[1] / "golden" / "sheets" / "bank")
SHIPPED = Library(shipped_root())
MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")

PHONE, TABLET, DESK = 360, 800, 1400
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"],
    "resultTypes": ["violations"],
}

Look = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages: every topic, the self-test of every topic, and every kind of question."""
    folder = tmp_path_factory.mktemp("sheets")
    made = {
        "all": build(SHIPPED, Wanted(topics=SHIPPED.topics)),
        "test": build(SHIPPED, Wanted(topics=SHIPPED.topics, answers=False)),
        "small": build(SMALL, Wanted(topics=SMALL.topics, missed={"small-open": "Missed twice."})),
    }
    for name, sheet in made.items():
        (folder / f"{name}.html").write_text(render_html(sheet), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.fixture(scope="module")
def look(browser: Browser, sheets: dict[str, Path]) -> Look:
    """What is measured on a sheet in a view, each looked at once."""
    seen: dict[tuple[str, int, str], dict[str, Any]] = {}

    def measured(name: str, width: int = PHONE, scheme: str = "light") -> dict[str, Any]:
        if (name, width, scheme) not in seen:
            requested: list[str] = []
            with window(browser, width, dark=scheme == "dark") as page:
                page.on("request", lambda request: requested.append(request.url))
                page.goto(sheets[name].as_uri())
                seen[name, width, scheme] = page.evaluate(MEASURE) | {"requested": requested}
        return seen[name, width, scheme]

    return measured


@pytest.mark.parametrize("width", [PHONE, TABLET, DESK])
@pytest.mark.parametrize("name", ["all", "test", "small"])
def test_nothing_overflows(look: Look, name: str, width: int) -> None:
    """With every answer open no text, table or picture lies beyond the page, which does not
    scroll sideways; a wide formula or table scrolls in its own box."""
    found = look(name, width)
    assert found["width"] == width and found["texts"] > 20
    assert found["beyond"] == []
    assert found["scrollWidth"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["all", "test", "small"])
def test_text_stands_out(look: Look, name: str, scheme: str) -> None:
    """Every text, labels in pictures included, has a contrast of 4.5 or more."""
    assert look(name, DESK, scheme)["faint"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_formula_and_picture_renders(look: Look, scheme: str) -> None:
    """Each has an extent, and no label of a picture is cut off or lies across another."""
    for width in (PHONE, DESK):
        found = look("all", width, scheme)
        assert found["formulas"] > 300 and found["pictures"] > 10
        assert found["empty"] == []
        assert found["cut"] == []
        assert found["crossing"] == []


def test_labels_can_be_read_on_a_phone(look: Look) -> None:
    """No label of a picture is smaller than 8 pixels there."""
    assert look("all", PHONE)["smallest"] >= 8


def test_headings_are_in_order(look: Look) -> None:
    """What a reader hears as headings begins with one h1 and skips no level."""
    for name in ("all", "test", "small"):
        levels = look(name)["headings"]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(b <= a + 1 for a, b in pairwise(levels))


def test_nothing_is_fetched(look: Look, sheets: dict[str, Path]) -> None:
    """The page asks for itself and for what it carries inside, and for nothing else."""
    for name in ("all", "test", "small"):
        found = look(name)
        own = sheets[name].resolve().as_uri()
        assert own in found["requested"]
        assert [a for a in found["requested"] if a != own and not a.startswith("data:")] == []
        assert [a for a in found["fetched"] if not a.startswith("data:")] == []


BROKEN = {
    "beyond": f"<p style='width: 50rem'>{'wide ' * 30}</p>",
    "faint": "<p style='color: #999; background: #fff'>faint</p>",
    "empty": "<svg width='0' height='0' viewBox='0 0 1 1'></svg>",
    "cut": "<svg viewBox='0 0 9 9'><text x='5' y='5'>a long label</text></svg>",
    "crossing": "<svg viewBox='0 0 99 99'><text y='50'>one</text><text y='52'>two</text></svg>",
    "fetched": "<img src='https://example.org/a.png' alt=''>",
}


@pytest.mark.parametrize("field", BROKEN)
def test_the_measuring_can_fail(browser: Browser, tmp_path: Path, field: str) -> None:
    """A page that is wrong in one way is found to be wrong in that way."""
    page = f"<!doctype html><meta name=viewport content='width=device-width'><body>{BROKEN[field]}"
    (tmp_path / "broken.html").write_text(page, encoding="utf-8")
    with window(browser, PHONE) as opened:
        opened.goto((tmp_path / "broken.html").as_uri())
        assert opened.evaluate(MEASURE)[field] != []


def complaints(browser: Browser, page: Path, width: int = DESK, dark: bool = False) -> list[Any]:
    """What axe-core finds wrong with a page whose answers are open."""
    with window(browser, width, dark=dark) as opened:
        opened.goto(page.as_uri())
        opened.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        found = Axe().run(opened, options=AXE_OPTIONS)
    return [(fault["id"], fault["nodes"][0]["html"]) for fault in found["violations"]]


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "light"), (DESK, "light"), (DESK, "dark")])
def test_an_accessibility_checker_finds_nothing(
    browser: Browser, sheets: dict[str, Path], width: int, scheme: str
) -> None:
    """axe-core has no complaint by WCAG 2.1 AA or its best practices, whatever the view."""
    assert complaints(browser, sheets["small"], width, dark=scheme == "dark") == []


@pytest.mark.parametrize("topic", SHIPPED.topics)
def test_an_accessibility_checker_finds_nothing_in_a_topic(
    browser: Browser, tmp_path: Path, topic: str
) -> None:
    """Neither has it in the sheet of a topic, its tables, formulas and pictures. One topic at a
    time: what the checker takes grows with the square of the page."""
    page = tmp_path / f"{topic}.html"
    page.write_text(render_html(build(SHIPPED, Wanted(topics=(topic,)))), encoding="utf-8")
    assert complaints(browser, page) == []


def test_the_accessibility_checker_can_complain(browser: Browser, tmp_path: Path) -> None:
    """A picture without a text, on a page without a language, is not passed over."""
    page = tmp_path / "broken.html"
    page.write_text("<!doctype html><title>x</title><img src='data:,'>", encoding="utf-8")
    found = {name for name, *_ in complaints(browser, page)}
    assert {"image-alt", "html-has-lang"} <= found
