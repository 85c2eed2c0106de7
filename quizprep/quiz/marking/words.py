"""Spoken text as words: uniform spelling, clauses, and which words a negation covers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from quizprep.quiz.marking.vocabulary import (
    ABBREVIATIONS,
    ALIKE_GROUPS,
    CONTRACTIONS,
    IDIOMS,
    IRREGULAR,
    MATHS,
    SHORT,
    SIGNS,
)
from quizprep.text import plain_signs

_WORD = re.compile(r"\d+\.\d+|[^\W_]+(?:\^\d+)?|[.,;:!?()…]|\n| - | – |—")
_BREAKS = set(".,;:!?()…\n") | {" - ", " – ", "—"}
FILLERS = {
    "a", "an", "the", "of", "to", "in", "on", "for", "with", "by", "at", "it", "its", "that",
    "this", "these", "those", "is", "are", "be", "very", "so", "then", "also", "basically",
    "i", "you", "we", "they", "he", "she", "them", "their", "our", "your", "my", "there", "here",
    "can", "could", "will", "would", "may", "might", "do", "does", "did", "has", "have", "had",
    "been", "being", "was", "were", "which", "who", "about", "like", "well", "ok", "really",
    "actually", "just", "kind", "sort", "quite", "get", "gets", "some", "any", "from", "into",
}  # fmt: skip
_TURNS = {
    "but",
    "and",
    "although",
    "though",
    "while",
    "whereas",
    "however",
    "yet",
    "instead",
    "rather",
}
_REASONS = {"because", "since", "as"}
_PURPOSES = {"so", "otherwise", "lest"}
_WIDE = {"not", "never", "nor", "neither", "nobody", "none", "nothing"}
_NARROW = {"no": 3, "without": 3, "unlike": 3, "hardly": 3, "barely": 3}
_PREFERRED = {("instead", "of"): 4, ("rather", "than"): 4}
"""What follows these is negated: "the head size instead of the width"."""
_DENIALS = {"false", "wrong", "incorrect", "untrue", "mistake", "myth", "misconception"}
_ONLY = {"only", "just", "merely", "simply", "necessarily", "sure"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a spoken answer.

    text    in uniform spelling (case, contractions, ``-ise``, mathematics)
    stem    without its ending: ``grows``, ``growing`` and ``grow`` share one
    place   its number among the words that carry meaning; fillers such as "of the" do not count
    clause  the number of its clause; commas, full stops and words such as "but" begin one
    denied  how many negations cover it; an odd number reverses the meaning
    """

    text: str
    stem: str
    place: int
    sentence: int
    clause: int
    denied: int = 0
    negator: bool = False


def read_words(text: str) -> list[Word]:
    """The words of a text, in order."""
    words: list[Word] = []
    place = sentence = clause = 0
    for token in _WORD.findall(_normalised(text)):
        if token in _BREAKS:
            clause += 1
            sentence += token in ".!?;…\n"
            continue
        token = ABBREVIATIONS.get(token, token)
        if token in _TURNS or token in _PURPOSES or _opens_reason(token, words):
            clause += 1
        place += token not in FILLERS
        if words and (words[-1].text, token) in _PREFERRED:
            words[-1] = replace(words[-1], negator=True)
        negator = token in _WIDE or token in _NARROW or token in _DENIALS
        words.append(Word(token, stem(token), place, sentence, clause, 0, negator))
    return _denied(words)


def _normalised(text: str) -> str:
    plain = plain_signs(text, "^").casefold()
    for pattern, replacement in (*SHORT, *CONTRACTIONS, *SIGNS, *MATHS, *IDIOMS):
        plain = re.sub(pattern, replacement, plain)
    return plain


def _opens_reason(token: str, words: list[Word]) -> bool:
    """Whether "because" begins a clause; in "not because it grows" the negation covers it."""
    return token in _REASONS and not (words and words[-1].text in _WIDE)


def _denied(words: list[Word]) -> list[Word]:
    counts = [0] * len(words)
    for place, word in enumerate(words):
        for reached in range(place + 1, _reach(words, place, word)):
            counts[reached] += 1
    return [replace(word, denied=count) for word, count in zip(words, counts, strict=True)]


def _reach(words: list[Word], place: int, word: Word) -> int:
    """The end (exclusive) of what the negation at a place covers; the place itself if nothing."""
    following = words[place + 1].text if place + 1 < len(words) else ""
    if word.text in _DENIALS:
        if following not in ("that", "to"):
            return place
    elif not word.negator or following in _ONLY or _in_purpose(words, place):
        return place
    furthest = (
        place + 1 + _PREFERRED.get((word.text, following), _NARROW.get(word.text, len(words)))
    )
    end = place + 1
    while end < len(words) and end < furthest and words[end].clause == word.clause:
        end += 1
    return end


def _in_purpose(words: list[Word], place: int) -> bool:
    """Whether the clause says what something is for: "so that gradients do not vanish"."""
    start = place
    while start > 0 and words[start - 1].clause == words[place].clause:
        start -= 1
    return words[start].text in _PURPOSES


def one_spelling(word: str) -> str:
    """``-ise`` and ``-ize``, ``-our`` and ``-or`` in one spelling."""
    if len(word) > 5:
        word = re.sub(r"is(?=$|e|ed|es|er|ers|ing|ation|ations)", "iz", word)
        word = re.sub(r"our(?=$|s|ed|ing)", "or", word)
    return word


def stem(word: str) -> str:
    """A light stem: only plurals and the endings of verbs are removed."""
    word = one_spelling(word)
    if not word.isalpha() or len(word) < 4:
        return word
    if word in IRREGULAR:
        return stem(IRREGULAR[word])
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    for endings in (("es", "s"), ("ing", "ed")):
        for ending in endings:
            root = word.removesuffix(ending)
            if root != word and len(root) >= 3 and not (ending == "s" and root[-1] in "su"):
                word = root
                break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


_EXACT = {
    stem(word): group
    for group, words in enumerate(ALIKE_GROUPS)
    for word in words.split()
    if not word.endswith("*")
}
_STEMS = {
    word[:-1]: group
    for group, words in enumerate(ALIKE_GROUPS)
    for word in words.split()
    if word.endswith("*")
}


def alike(one: str, other: str) -> bool:
    """Whether two words or stems mean the same: "calculate" and "compute", "cut" and "reduc*"."""
    group = _group(one)
    return group is not None and group == _group(other)


@lru_cache(maxsize=1 << 16)
def _group(text: str) -> int | None:
    """The number of the group of synonyms that a stem, or any word beginning with it, is in."""
    start = text.removesuffix("*")
    if start == text and text in _EXACT:
        return _EXACT[text]
    for word, group in _STEMS.items():
        if text.startswith(word):
            return group
    if start != text and len(start) >= 3:
        found = {group for word, group in _EXACT.items() if word.startswith(start)}
        return found.pop() if len(found) == 1 else None
    return None


@lru_cache(maxsize=1 << 16)
def one_slip(word: str, meant: str) -> bool:
    """Whether a long word is another with one letter wrong, lost, doubled or swapped.

    Short words are never forgiven: "row" is not "now". The first letter must be right.
    """
    if min(len(word), len(meant)) < 6 or abs(len(word) - len(meant)) > 1 or word[0] != meant[0]:
        return False
    start = 0
    while start < min(len(word), len(meant)) and word[start] == meant[start]:
        start += 1
    typed, right = word[start:], meant[start:]
    return (
        typed[1:] == right[1:]
        or typed[1:] == right
        or typed == right[1:]
        or (typed[:2] == right[1::-1] and typed[2:] == right[2:])
    )
