"""Pictures of what was measured: masks, growth, traffic and the roofline, each on its sheets."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.content.measured import figures
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.html import render_html
from quizprep.sheets.markdown import render_markdown
from quizprep.sheets.model import Picture, Section
from quizprep.sheets.pictures import powers, scaled
from quizprep.sheets.svg import PAGE, PAPER, MaskPicture, Plot, rounded

LIBRARY = Library(shipped_root())
KEPT = figures(LIBRARY)
SVG = "{http://www.w3.org/2000/svg}"
GIB = 2**30


def section(topic: str, library: Library = LIBRARY) -> Section:
    return build(library, Wanted(topics=[topic])).sections[0]


def plot(topic: str, title: str) -> Plot:
    return next(each for each in section(topic).plots if each.title == title)


def at(made: Plot, name: str, x: int) -> float:
    """The value of a curve at a place."""
    return dict(next(s for s in made.series if s.name == name).points)[x]


EVERY: list[Picture] = [
    picture
    for part in build(LIBRARY, Wanted(topics=LIBRARY.topics)).sections
    for picture in part.pictures
]


@pytest.fixture
def copied(tmp_path: Path) -> Library:
    """A copy of the shipped library that may be changed."""
    for name in ("questions", "exercises", "solutions"):
        shutil.copytree(shipped_root() / name, tmp_path / name)
    return Library(tmp_path)


@pytest.mark.parametrize("picture", EVERY, ids=lambda p: p.title)
def test_every_picture_renders_with_its_text_alternative(picture: Picture) -> None:
    """In every palette a picture is well-formed, has its title and description, and stays
    inside its view box; on the page it has no colour of its own."""
    for palette in (PAGE, PAPER):
        root = ElementTree.fromstring(picture.svg(palette))
        assert root.get("role") == "img"
        title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None and title.text == picture.title
        assert description is not None and len(description.text or "") > 40
        width, height = map(float, (root.get("viewBox") or "").split()[2:])
        for text in root.iter(f"{SVG}text"):
            assert 0 <= float(text.get("x", "-1")) <= width
            assert 0 <= float(text.get("y", "-1")) <= height
        for rect in root.iter(f"{SVG}rect"):
            right = float(rect.get("x", "0")) + float(rect.get("width", "0"))
            assert right <= width
    styles = re.findall(r"(?:fill|stroke): ([^;\"]+)", picture.svg(PAGE))
    assert styles and all(style == "none" or style.startswith("var(--") for style in styles)


def test_the_sheet_about_masks_shows_every_mask() -> None:
    """It shows what the references showed, each mask once."""
    shown = {(m.exercise, m.visible) for m in section("masking").masks}
    assert shown == {(name, mask.visible) for name, entry in KEPT.items() for mask in entry.masks}
    assert [m.title for m in section("complexity").masks] == [
        "Sliding window",
        "Window and global tokens",
    ]
    assert [m.title for m in section("memory-footprint").masks] == ["Sinks and a window"]


def test_a_mask_is_told_in_words_row_by_row() -> None:
    """Rows that are alike stand together, gaps are named, and an empty row is one."""
    mask = MaskPicture(
        "T", (), (), "e", ((True, False, True), (True, False, True), (False, False, False))
    )
    assert mask.description == (
        "3 queries, 3 keys. Visible to queries 1 to 2: keys 1, 3; query 3: no key."
    )
    assert mask.text.splitlines() == ["■ · ■", "■ · ■", "· · ·"]


def test_growth_is_what_the_meters_read() -> None:
    """At 65,536 tokens naive scores and weights take 32 GiB; flash takes what it took at 256;
    the window grows with the length; and flash does exactly the flops of naive."""
    memory = plot("complexity", "Working memory by length")
    assert at(memory, "naive", 65536) == 8 * 65536**2
    assert at(memory, "flash", 256) == at(memory, "flash", 65536)
    assert at(memory, "linear", 256) == at(memory, "linear", 65536)
    rise = at(memory, "window", 65536) - at(memory, "window", 32768)
    assert rise == 16 * 32768 * 256
    flops = plot("complexity", "Flops by length")
    assert at(flops, "naive, flash", 65536) == 4 * 65536**2 * 64
    assert at(flops, "window", 65536) == 8 * 65536 * 256 * 64


def test_traffic_is_what_the_kernels_move() -> None:
    """A product of two 4096 matrices in tiles of 64 reads each 64 times and writes once."""
    traffic = plot("kernels", "Main-memory traffic by tile")
    side = 4096**2 * 4
    assert at(traffic, "matmul", 64) == Fraction(2 * 64 * side + side, GIB)
    heads = 32 * 4096 * 64 * 4
    assert at(traffic, "attention", 64) == pytest.approx(
        (2 * heads * (4096 // 64) + 2 * heads + 4 * 32 * 4096) / GIB
    )


def test_the_roofline_is_computed() -> None:
    """Every mark lies on the roof; decode on the slope, prefill on the flat; intensities are
    those that the serving bank answers."""
    made = plot("serving", "Roofline with prefill and decode")
    ridge = 989 / 3.35
    for mark in made.marks:
        assert mark.y == pytest.approx(min(989, 3.35 * mark.x))
        assert (mark.x > ridge) == mark.hollow == mark.name.startswith("prefill")
    assert {m.name: m.x for m in made.marks}["decode, GQA 64/8"] == 8
    assert {m.name: m.x for m in made.marks}["decode, weights, batch 32"] == 32


@pytest.mark.parametrize(
    "picture", [p for p in EVERY if isinstance(p, Plot)], ids=lambda p: p.title
)
def test_ticks_bound_what_is_drawn(picture: Plot) -> None:
    """No point lies beyond the outermost ticks, and labels of one axis differ."""
    points = [*(p for s in picture.series for p in s.points), *((m.x, m.y) for m in picture.marks)]
    for x, y in points:
        assert picture.x.ticks[0] <= x <= picture.x.ticks[-1]
        assert picture.y.ticks[0] <= y <= picture.y.ticks[-1]
    for axis in (picture.x, picture.y):
        written = [axis.text(tick) for tick in axis.ticks]
        assert len(written) == len(set(written)) >= 2
        assert all(len(text) <= 8 for text in written)


def test_a_curve_keeps_its_look() -> None:
    """Window attention has the same colour and dashes in both pictures of growth."""
    looks = [
        {s.name: s.look for s in plot("complexity", title).series}
        for title in ("Working memory by length", "Flops by length")
    ]
    assert looks[0]["window"] == looks[1]["window"] and looks[0]["linear"] == looks[1]["linear"]


def test_an_edited_solution_is_neither_drawn_nor_listed(copied: Library) -> None:
    """Once naive attention's solution has changed, its curve and its costs are gone."""
    path = copied.root / "solutions" / "attention.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    part = section("complexity", copied)
    assert {s.name for s in part.plots[0].series} == {"flash", "window", "linear"}
    assert {s.name for s in part.plots[1].series} == {"flash", "window", "linear"}
    costs = {drill.id: [limit.measured for limit in drill.limits] for drill in part.drills}
    assert costs["attention"] == ["", ""] and all(costs["flash_forward"])


def test_an_edited_reference_is_not_drawn(copied: Library) -> None:
    """Once a reference has changed, the sheet no longer shows its mask."""
    path = copied.root / "exercises" / "padding_mask" / "reference.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert "Padding" not in [mask.title for mask in section("masking", copied).masks]
    assert "Causal" in [mask.title for mask in section("masking", copied).masks]


def test_banks_without_exercises_have_no_measured_picture(tmp_path: Path) -> None:
    """A folder of banks alone gives a sheet without them, and without an error."""
    for path in (shipped_root() / "questions").glob("*.yaml"):
        shutil.copy(path, tmp_path)
    library = Library(tmp_path)
    assert section("masking", library).masks == ()
    assert section("complexity", library).plots == ()
    assert len(section("serving", library).plots) == 1
    (tmp_path / "serving.yaml").unlink()
    assert section("masking", Library(tmp_path)).plots == ()


def test_markdown_has_text_in_place_of_pictures() -> None:
    """GitHub shows no picture from inside a file, so there are signs and tables."""
    text = render_markdown(build(LIBRARY, Wanted(topics=["masking", "serving"])))
    assert "```\n■ · · ·" in text and "| decode, GQA 64/8 | 8 | 26.8 |" in text
    assert "<svg" not in text and "data:" not in text


def test_a_self_test_has_no_picture() -> None:
    """A mask would give the answer away."""
    wanted = Wanted(topics=LIBRARY.topics, answers=False)
    assert "<svg" not in render_html(build(LIBRARY, wanted))
    assert "### Pictures" not in render_markdown(build(LIBRARY, wanted))


@pytest.mark.parametrize(
    ("low", "high", "base", "expected"),
    [
        (3, 50, 10, (1, 10, 100)),
        (0.5, 2, 4, (0.25, 1, 4)),
        (1, 1, 16, (1, 16)),
        (16, 256, 16, (16, 256)),
    ],
)
def test_ticks_are_powers_around_the_values(
    low: float, high: float, base: int, expected: tuple[float, ...]
) -> None:
    """The outermost ticks are the nearest powers that hold the values between them."""
    assert powers(low, high, base) == expected


def test_values_are_written_with_their_prefix() -> None:
    """Bytes by 1024, three digits, the largest prefix that leaves at least one."""
    text = scaled(1024, ("B", "KiB"))
    assert [text(1000), text(1024), text(512 * 2**10)] == ["1000 B", "1 KiB", "512 KiB"]
    assert rounded(0.123456) == "0.123"
