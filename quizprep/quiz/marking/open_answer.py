"""Open answers: which key points a spoken text covers, and which wrong claims it makes.

``accept`` of a key point holds wordings. A wording is a group of words that must all occur close
together, in any order: ``variance|spread grow*``.

- ``|`` separates alternatives, ``*`` ends a stem.
- A hyphen joins words that follow each other: ``all-reduce`` is heard in "all reduce", "allreduce"
  and "all-reduce", ``reduce-cache`` in "reduce the cache".
- ``!same|equal`` rejects the wording if one of these words stands in the same clause:
  ``reduc* flops !same``.
- Words under a negation do not count, unless the wording itself holds the negation.
- One typing slip in a long word is forgiven.
- A wrong claim must be made within one clause, since it costs a point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from quizprep.content.questions import Claim, KeyPoint, Open
from quizprep.quiz.marking.reply import Mark
from quizprep.quiz.marking.words import (
    FILLERS,
    Word,
    alike,
    one_slip,
    one_spelling,
    read_words,
    stem,
)

NEAR = 3
"""How many words that carry meaning a group may span for each of its words.

On the labelled answers in tests/golden/spoken: 2 loses points that were said, 4 ticks more
that were not."""


@dataclass(frozen=True)
class OpenMatch:
    """What the program believes an answer says; the learner confirms or corrects it."""

    covered: tuple[KeyPoint, ...]
    missing: tuple[KeyPoint, ...]
    wrong_claims: tuple[Claim, ...] = ()


def match_open(question: Open, text: str) -> OpenMatch:
    """Match a text against the key points and the wrong claims of a question."""
    words = read_words(text)
    covered = tuple(p for p in question.points if says_any(words, p.accept))
    return OpenMatch(
        covered=covered,
        missing=tuple(p for p in question.points if p not in covered),
        wrong_claims=tuple(
            c for c in question.wrong if says_any(words, c.accept, in_one_clause=True)
        ),
    )


def corrected(match: OpenMatch, rows: Sequence[int]) -> OpenMatch:
    """The match with some rows flipped; rows are covered, missing, wrong claims, in that order."""
    points = [*match.covered, *match.missing]
    flipped = set(rows)
    said = [(row < len(match.covered)) != (row in flipped) for row in range(len(points))]
    return OpenMatch(
        covered=tuple(p for p, yes in zip(points, said, strict=True) if yes),
        missing=tuple(p for p, yes in zip(points, said, strict=True) if not yes),
        wrong_claims=tuple(
            claim
            for row, claim in enumerate(match.wrong_claims, start=len(points))
            if row not in flipped
        ),
    )


def mark_open(match: OpenMatch) -> Mark:
    """The share of points covered; each wrong claim takes one point away."""
    total = len(match.covered) + len(match.missing)
    score = max(0, len(match.covered) - len(match.wrong_claims)) / total
    trap = match.wrong_claims[0].says if match.wrong_claims else None
    return Mark(score, (), trap)


def says_any(words: Sequence[Word], accept: Sequence[str], *, in_one_clause: bool = False) -> bool:
    """Whether a text says one of the wordings and does not deny it."""
    return any(_says(words, wording(text), in_one_clause) for text in accept)


def _says(words: Sequence[Word], wording: Wording, in_one_clause: bool) -> bool:
    places = [sorted(_hits(words, slot)) for slot in wording.slots]
    if not places or not all(places):
        return False
    return any(
        _asserted(words, group) and not _turned(words, group, wording.without)
        for start in places[0]
        for group in _near(words, places, start, in_one_clause)
    )


def _turned(words: Sequence[Word], group: Sequence[Run], without: Slot) -> bool:
    """Whether a word that the wording excludes stands in a clause of the group."""
    clauses = {words[place].clause for run in group for place in run}
    return any(words[run[0]].clause in clauses for run in _hits(words, without))


Phrase = tuple[str, ...]
"""One alternative: words or stems that follow each other."""

Slot = tuple[Phrase, ...]


class Wording(NamedTuple):
    """A parsed wording: its slots, and the words that exclude it."""

    slots: tuple[Slot, ...]
    without: Slot


Run = tuple[int, ...]
"""Neighbouring places in a text that one alternative matches."""


def _near(
    words: Sequence[Word], places: Sequence[Sequence[Run]], first: Run, in_one_clause: bool
) -> Iterator[list[Run]]:
    """Groups of one run per slot around the first run, close together in a sentence or clause."""
    reach = NEAR * len(places)
    group = [first]
    for runs in places[1:]:
        taken = {place for run in group for place in run}
        close = [
            run
            for run in runs
            if not taken.intersection(run)
            and _gap(words, run, first) <= reach
            and words[run[0]].sentence == words[first[0]].sentence
            and not (in_one_clause and words[run[0]].clause != words[first[0]].clause)
        ]
        if not close:
            return
        # A run that is not negated is preferred: "not the mean but the variance grows".
        group.append(
            min(close, key=lambda run: (_denials(words, run) % 2, _gap(words, run, first)))
        )
    yield group


def _gap(words: Sequence[Word], run: Run, first: Run) -> int:
    return abs(words[run[0]].place - words[first[0]].place)


def _denials(words: Sequence[Word], run: Run) -> int:
    return max(words[place].denied for place in run)


def _asserted(words: Sequence[Word], group: Sequence[Run]) -> bool:
    if any(words[place].negator for run in group for place in run):
        return True
    return not any(_denials(words, run) % 2 for run in group)


def _hits(words: Sequence[Word], slot: Slot) -> Iterator[Run]:
    for alternative in slot:
        joined = "".join(alternative) if len(alternative) > 1 else ""
        # Two letters are too short to be one word: "o-n" is not "on".
        joined = joined if len(joined) > 2 else ""
        for start, word in enumerate(words):
            run = _run_at(words, start, alternative)
            if run:
                yield run
            elif joined and _fits(word, joined):
                yield (start,)


def _run_at(words: Sequence[Word], start: int, alternative: Phrase) -> Run:
    """The places of an alternative that begins at start, fillers skipped; empty if it does not."""
    run: list[int] = []
    place = start
    for part in alternative:
        if run:
            place += 1
            while place < len(words) and words[place].text in FILLERS and part not in FILLERS:
                place += 1
        if (
            place >= len(words)
            or words[place].sentence != words[start].sentence
            or not _fits(words[place], part)
        ):
            return ()
        run.append(place)
    return tuple(run)


def _fits(word: Word, part: str) -> bool:
    return _means(word.text, word.stem, part)


@lru_cache(maxsize=1 << 18)
def _means(text: str, root: str, part: str) -> bool:
    """Whether a word, given with its stem, is what one part of a wording asks for."""
    if part.endswith("*"):
        start = part[:-1]
        return one_spelling(text).startswith(start) or root.startswith(start) or alike(root, part)
    return root == part or text == part or alike(root, part) or one_slip(root, part)


@lru_cache(maxsize=4096)
def wording(text: str) -> Wording:
    """Parse a wording."""
    slots: list[Slot] = []
    without: list[Phrase] = []
    for slot in text.casefold().split():
        phrases = tuple(
            phrase for alternative in slot.lstrip("!").split("|") if (phrase := _run(alternative))
        )
        if slot.startswith("!"):
            without += phrases
        else:
            slots.append(phrases)
    return Wording(tuple(slots), tuple(without))


def _run(alternative: str) -> Phrase:
    star = alternative.endswith("*")
    words = [word.text for word in read_words(alternative.rstrip("*"))]
    parts = [word for word in words if word not in FILLERS] or words
    # "recompute*" means "recomputing" too.
    last = f"{one_spelling(parts[-1]).removesuffix('e')}*" if star and parts else ""
    return tuple(stem(part) for part in (parts[:-1] if star else parts)) + ((last,) if last else ())
