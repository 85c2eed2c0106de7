"""How well open answers are marked, measured on typed answers that people labelled by hand.

A folder of labelled answers holds YAML files, each a list of ``LabelledAnswer``. Those that are
held out only measure: no wording may be improved on them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import msgspec

from quizprep.content.library import Library
from quizprep.content.loading import load_file, shown_path
from quizprep.content.questions import Open
from quizprep.errors import ContentError, Problem, UsageError
from quizprep.quiz.marking import match_open


class LabelledAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody typed, with what a fair listener hears in it.

    id      permanent; it decides whether the answer is held out
    style   how it is written: terse, rambling, wrong, negated, ...
    covers  the ids of the key points that are said
    claims  the wrong claims that are made, by their number in the bank from 0
    """

    id: str
    question: str
    style: str
    says: str
    covers: tuple[str, ...]
    claims: tuple[int, ...] = ()

    @property
    def part(self) -> str:
        """Which of ``PARTS`` the answer belongs to; its id decides, so that nobody can choose."""
        for prefix, part in _PREFIXES.items():
            if self.id.startswith(prefix):
                return part
        return PARTS[hashlib.sha256(self.id.encode()).digest()[0] % 2]


PARTS = ("improved on", "held out", "later", "last", "blind")
"""What the marking was improved on, the half that was not, answers written after each of two
rounds of improving, and answers by somebody who saw none of the wordings."""

_PREFIXES = {"more-": "improved on", "later-": "later", "last-": "last", "blind-": "blind"}


@dataclass(frozen=True)
class Tally:
    """Counts of points: heard and said (right), heard only (extra), said only (missed)."""

    right: int = 0
    extra: int = 0
    missed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.right + other.right, self.extra + other.extra, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """The share of what was heard that was said; 1 if nothing was heard."""
        return self.right / (self.right + self.extra) if self.right + self.extra else 1.0

    @property
    def recall(self) -> float:
        """The share of what was said that was heard; 1 if nothing was said."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


@dataclass(frozen=True)
class Evaluation:
    """How a set of labelled answers was marked."""

    answers: int
    questions: int
    points: Tally
    claims: Tally


def load_answers(folder: Path, library: Library) -> tuple[LabelledAnswer, ...]:
    """Every labelled answer in a folder, by file name.

    Raises UsageError if there is none, ContentError if a label names a point or claim that does
    not exist.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise UsageError(
            f"There are no labelled answers in {folder}.",
            hint="A file TOPIC.yaml there is a list of: id, question, style, says, covers, claims.",
        )
    found: list[LabelledAnswer] = []
    problems: list[Problem] = []
    for path in files:
        for answer in load_file(path, tuple[LabelledAnswer, ...]):
            if answer.id in {other.id for other in found}:
                problems.append(_problem(path, answer, "another answer has this id; change one"))
            problems += [_problem(path, answer, text) for text in _faults(answer, library)]
            found.append(answer)
    if problems:
        raise ContentError(problems)
    return tuple(found)


def _problem(path: Path, answer: LabelledAnswer, text: str) -> Problem:
    return Problem(shown_path(path), None, answer.id, text)


def _faults(answer: LabelledAnswer, library: Library) -> Iterable[str]:
    _, question = library.questions.get(answer.question, ("", None))
    if not isinstance(question, Open):
        yield f"{answer.question!r} is no open question; name one"
        return
    points = [point.id for point in question.points]
    for name in answer.covers:
        if name not in points:
            yield f"{answer.question} has no point {name!r}; it has {', '.join(points)}"
    for number in answer.claims:
        if number not in range(len(question.wrong)):
            yield f"{answer.question} has no wrong claim {number}; it has {len(question.wrong)}"


def evaluate(library: Library, answers: Sequence[LabelledAnswer]) -> Evaluation:
    """Mark the answers, and tally over all of them what was heard against what was said."""
    points = claims = Tally()
    for answer in answers:
        _, question = library.questions[answer.question]
        assert isinstance(question, Open)  # load_answers checked it
        match = match_open(question, answer.says)
        points += _tally({point.id for point in match.covered}, set(answer.covers))
        heard = {question.wrong.index(claim) for claim in match.wrong_claims}
        claims += _tally(heard, set(answer.claims))
    return Evaluation(len(answers), len({answer.question for answer in answers}), points, claims)


def _tally(heard: AbstractSet[object], said: AbstractSet[object]) -> Tally:
    return Tally(len(heard & said), len(heard - said), len(said - heard))


_HEADER = """\
## Open answers

What the program hears in typed answers to open questions, beside what a person heard in them:
{answers} answers to {questions} questions, labelled by hand before the program marked any of them.
Precision: of what the program ticks, the share that was said. Recall: of what was said, the share
that it ticks. The learner corrects either with one key.

The wordings were *improved on* one part, in three rounds. Of the first 130 answers half was *held
out*; the hash of an answer's id decides. All answers and wordings have one author, who may remember
what was held out, so *later* answers were written after the first round and the *last* ones after
the second. In the third round one held-out answer was seen, and of the later and the last ones only
totals. The *blind* ones were written after it, with the key points at hand and none of the
wordings: they are the fairest measure. Answers by many other people would be a harder test.
"""


def evaluation_text(library: Library, answers: Sequence[LabelledAnswer]) -> str:
    """The section of the page of evidence on open answers."""
    everything = evaluate(library, answers)
    lines = [
        _HEADER.format(answers=everything.answers, questions=everything.questions),
        "| part | answers | what | said | heard rightly | heard, not said | precision | recall |",
        "|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    for part in PARTS:
        found = evaluate(library, [answer for answer in answers if answer.part == part])
        for what, tally in (("key points", found.points), ("wrong claims", found.claims)):
            cells = [
                part, found.answers, what, tally.right + tally.missed, tally.right, tally.extra,
                f"{tally.precision:.2f}", f"{tally.recall:.2f}",
            ]  # fmt: skip
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])
