"""What the debrief of an interview goes through, and what it sums up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quizprep.content.library import Library
from quizprep.content.questions import Open
from quizprep.quiz.interview import Asked, Coded, Log, Role
from quizprep.quiz.presented import Presented, present
from quizprep.quiz.selection import draw_seed
from quizprep.quiz.weakness import concept_title, training_for
from quizprep.store import Review, Store


@dataclass(frozen=True)
class Answered:
    """A question of the interview; ``review`` is None if it was skipped."""

    role: Role
    presented: Presented
    review: Review | None


@dataclass(frozen=True)
class Summary:
    """What came of an interview.

    well     titles of concepts and kernels that went well
    kernels  each with its title
    work_on  titles of the concepts that were missed, and the exercise that trains each
    topics   of the questions that were missed
    """

    well: tuple[str, ...]
    kernels: tuple[tuple[str, Coded], ...]
    work_on: tuple[tuple[str, str | None], ...]
    topics: tuple[str, ...]


def answers(library: Library, store: Store, log: Log) -> list[Answered]:
    """The questions of an interview in order, each once; without those whose answer was taken back
    and those that are no longer in the banks."""
    found: dict[str, Answered] = {}
    for step in log.steps:
        if not isinstance(step, Asked) or step.question not in library.questions:
            continue
        review = next((r for r in store.reviews(step.question) if r.id == step.review), None)
        if review is None and step.review is not None:
            continue
        topic, question = library.questions[step.question]
        seed = review.seed if review else draw_seed(log.interview.seed, question.id)
        found[question.id] = Answered(step.role, present(topic, question, seed), review)
    return list(found.values())


def good_answer(library: Library, answered: Answered) -> tuple[str, str]:
    """A good answer to a spoken question, with its title: to an opening, what one says about the
    topic in a minute."""
    question = answered.presented.question
    assert isinstance(question, Open)
    if answered.role == "opening":
        bank = library.bank(answered.presented.topic)
        return f"60 seconds on {bank.title}", bank.template
    return "A good answer", question.model


def summary(
    library: Library, log: Log, well: Sequence[Presented], missed: Sequence[Presented]
) -> Summary:
    """Sum up an interview whose questions went well or were missed."""
    weak = {concept for each in missed for concept in each.question.concepts}
    right = dict.fromkeys(each.question.concepts[0] for each in well)
    kernels = tuple((_title(library, s), s) for s in log.steps if isinstance(s, Coded))
    return Summary(
        well=(
            *(concept_title(library, concept) for concept in right if concept not in weak),
            *(f'the kernel "{title}"' for title, step in kernels if step.passed),
        ),
        kernels=kernels,
        work_on=tuple(
            (concept_title(library, concept), exercise)
            for concept, exercise in training_for(library, (each.question for each in missed))
        ),
        topics=tuple(dict.fromkeys(each.topic for each in missed)),
    )


def _title(library: Library, step: Coded) -> str:
    known = step.exercise in library.exercise_ids
    return library.exercise(step.exercise).spec.title if known else step.exercise
