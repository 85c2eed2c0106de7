"""Open answers: which key points a spoken text covers, and which wrong claims it makes.

``accept`` of a key point holds wordings. A wording is a group of words that must all occur
near each other, in any order: ``variance|spread grow*``. ``|`` separates alternatives, ``*``
ends a stem, a hyphen joins words that follow each other. What a negation covers does not
count, unless the wording itself holds the negation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from quizprep.content.questions import Claim, KeyPoint, Open
from quizprep.quiz.marking.mark import Mark
from quizprep.quiz.marking.words import Word, one_spelling, read_words, stem

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
        wrong_claims=tuple(c for c in question.wrong if says_any(words, c.accept)),
    )


def corrected(match: OpenMatch, rows: Sequence[int]) -> OpenMatch:
    """The match with some rows turned around: covered, missing and wrong claims, in that order."""
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


def mark(match: OpenMatch) -> Mark:
    """The share of points covered; each wrong claim takes one point away."""
    total = len(match.covered) + len(match.missing)
    score = max(0, len(match.covered) - len(match.wrong_claims)) / total
    trap = match.wrong_claims[0].says if match.wrong_claims else None
    return Mark(score, (), trap)


def says_any(words: Sequence[Word], accept: Sequence[str]) -> bool:
    """Whether a text says one of the wordings and does not deny it."""
    return any(_says(words, wording) for wording in accept)


def _says(words: Sequence[Word], wording: str) -> bool:
    slots = _slots(wording)
    places = [sorted(_hits(words, slot)) for slot in slots]
    if not all(places):
        return False
    return any(
        _asserted(words, group) for start in places[0] for group in _near(words, places, start)
    )


Run = tuple[int, ...]
"""Neighbouring places in a text that one alternative matches."""


def _near(
    words: Sequence[Word], places: Sequence[Sequence[Run]], first: Run
) -> Iterator[list[Run]]:
    """Groups of one run per slot around the first one, close together in one sentence."""
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
        ]
        if not close:
            return
        # An undenied run is preferred: "not the mean but the variance grows".
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


def _hits(words: Sequence[Word], slot: tuple[tuple[str, ...], ...]) -> Iterator[Run]:
    for alternative in slot:
        for start in range(len(words) - len(alternative) + 1):
            run = tuple(range(start, start + len(alternative)))
            if all(_fits(words[place], part) for place, part in zip(run, alternative, strict=True)):
                yield run


def _fits(word: Word, part: str) -> bool:
    if part.endswith("*"):
        return one_spelling(word.text).startswith(part[:-1])
    return word.stem == part or word.text == part


@lru_cache(maxsize=4096)
def _slots(wording: str) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """A wording as slots, each with its alternatives, each a run of words or stems."""
    return tuple(
        tuple(run for alternative in slot.split("|") if (run := _run(alternative)))
        for slot in wording.casefold().split()
    )


def _run(alternative: str) -> tuple[str, ...]:
    star = alternative.endswith("*")
    parts = [word.text for word in read_words(alternative.rstrip("*"))]
    # "recompute*" means "recomputing" too.
    last = f"{one_spelling(parts[-1]).removesuffix('e')}*" if star and parts else ""
    return tuple(stem(part) for part in (parts[:-1] if star else parts)) + ((last,) if last else ())
