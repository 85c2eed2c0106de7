"""The spelling of everything that a learner reads, checked with a dictionary and our own list.

The dictionary is that of pyspellchecker, which only authors need. ``words.txt`` beside the banks
lists terms of the field, names and British spellings, one word a line.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from quizprep.authoring.bank_checks import loaded_banks
from quizprep.authoring.cheat_checks import shown_texts as cheat_texts
from quizprep.authoring.question_checks import shown_texts
from quizprep.content.library import CHEAT, Library, shipped_root
from quizprep.content.loading import placed, shown_path
from quizprep.content.questions import Bank
from quizprep.content.yaml_tree import Steps
from quizprep.errors import ContentError, Problem, QuizprepError

WORDS = "words.txt"

_CODE = re.compile(
    r"```.*?```|`[^`]*`|\$[^$]*\$|<!--.*?-->|\]\([^)]*\)|https?://\S+|\{[^}]*\}", re.DOTALL
)
_TOKEN = re.compile(r"[\w'’./@+*=<>\\^]+")
_WORD = re.compile(r"[A-Z]?[a-z]{2,}")


class Dictionary(Protocol):
    """The part of a spell checker that is used here."""

    def unknown(self, words: list[str]) -> set[str]:
        """The words that are not in the dictionary, in lower case."""

    def correction(self, word: str) -> str | None:
        """A similar word that is."""


def spelling_problems(library: Library) -> list[Problem]:
    """Every word that is neither in the dictionary nor in ``words.txt``, with its line."""
    dictionary = _dictionary(library)
    problems: list[Problem] = []
    for topic, bank in loaded_banks(library).items():
        found = [
            (steps, _says(word, dictionary, library))
            for steps, text in _texts(bank)
            for word in unknown_words(text, dictionary)
        ]
        problems += placed(library.question_folder / f"{topic}.yaml", found)
    with contextlib.suppress(ContentError):
        found = [
            (("topics", name, *steps), _says(word, dictionary, library))
            for name, topic in library.cheat.topics.items()
            for steps, text in cheat_texts(topic)
            for word in unknown_words(text, dictionary)
        ]
        problems += placed(library.question_folder / CHEAT, found)
    for page in _pages(library):
        for number, line in enumerate(_prose(page.read_text(encoding="utf-8")).split("\n"), 1):
            for word in unknown_words(line, dictionary):
                text = _says(word, dictionary, library)
                problems.append(Problem(shown_path(page), number, "", text))
    return problems


def unknown_words(text: str, dictionary: Dictionary) -> list[str]:
    """The words of a text that the dictionary does not know; code and mathematics are skipped."""
    tokens = (token.replace("’", "'").strip("'.") for token in _TOKEN.findall(_prose(text)))
    words = [
        part.removesuffix("'s")
        for token in tokens
        if "." not in token  # the name of a file or of an attribute
        for part in token.split("/")
    ]
    proper = [word for word in dict.fromkeys(words) if _WORD.fullmatch(word)]
    unknown = dictionary.unknown(proper)
    return [word for word in proper if word.lower() in unknown]


def _prose(text: str) -> str:
    """The text with code, mathematics and addresses blanked; lines stay where they are."""
    return _CODE.sub(lambda match: " " + "\n" * match.group().count("\n"), text)


def _dictionary(library: Library) -> Dictionary:
    try:
        from spellchecker import SpellChecker
    except ImportError as error:
        raise QuizprepError(
            "The spelling is checked by a package that is not installed.",
            hint="Install it with: pip install pyspellchecker",
        ) from error
    dictionary = SpellChecker(distance=1)
    for folder in {library.question_folder, shipped_root() / "questions"}:
        if (folder / WORDS).is_file():
            terms = (folder / WORDS).read_text(encoding="utf-8").split()
            dictionary.word_frequency.load_words(terms)
    return dictionary  # type: ignore[no-any-return]


def _says(word: str, dictionary: Dictionary, library: Library) -> str:
    near = dictionary.correction(word.lower())
    advice = f"did you mean {near!r}? If not, " if near and near != word.lower() else ""
    own = shown_path(library.question_folder / WORDS)
    return f"{word!r} is in no dictionary; {advice}add it to {own}"


def _texts(bank: Bank) -> Iterator[tuple[Steps, str]]:
    yield ("title",), bank.title
    yield ("template",), bank.template
    for place, question in enumerate(bank.questions):
        for steps, text in shown_texts(question):
            yield ("questions", place, *steps), text


def _pages(library: Library) -> Iterator[Path]:
    """The task of each exercise, and the pages of documentation beside the content."""
    yield from sorted((library.root / "exercises").glob("*/README.md"))
    yield from sorted(library.root.glob("*.md"))
    yield from sorted((library.root / "docs").glob("*.md"))
