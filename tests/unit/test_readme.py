"""The README shows pictures that are there, small, and told in words."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README)
LARGEST = 200_000


def test_every_picture_is_there_and_told_in_words() -> None:
    """Each picture is a file of ours, not too large, with words for who cannot see it."""
    assert {path for _, path in PICTURES} == {
        f"docs/pictures/{name}" for name in ("verdict.svg", "sheet.png", "progress.svg")
    }
    for words, path in PICTURES:
        assert len(words) > 40
        assert 1000 < (ROOT / path).stat().st_size < LARGEST


def test_screens_load_nothing() -> None:
    """A screen is valid SVG that names no address but that of SVG, and shows its command."""
    for name in ("verdict", "progress"):
        text = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
        shown = "".join(ElementTree.fromstring(text).itertext()).replace("\xa0", " ")
        assert "$ quizprep " in shown
        assert set(re.findall(r"https?://[^\s\"')<]+", text)) <= {
            "http://www.w3.org/2000/svg",
            "https://www.textualize.io",
        }
        assert "url(http" not in text and "@font-face" not in text
