"""``quizprep ask``: a round of questions, marked and scheduled."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from quizprep.cli.terminal import Terminal
from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Level, Question
from quizprep.errors import UsageError
from quizprep.quiz.scheduling import EXPECTED_SECONDS, load_cards, next_due
from quizprep.quiz.session import DEFAULT_COUNT, Filter, History, plan
from quizprep.quiz.times import in_words
from quizprep.store import Store, default_home

_KINDS = sorted(EXPECTED_SECONDS)
_LEVELS = [level.value for level in Level]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("-n", "count", type=click.IntRange(min=1), help="How many questions (default 10).")
@click.option("--due", is_flag=True, help="Only what is due or was brought forward.")
@click.option("--all", "everything", is_flag=True, help="Every question, whenever it is due.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS), help="Only this kind.")
@click.option(
    "--level", "levels", multiple=True, type=click.Choice(_LEVELS), help="Only this level."
)
@click.option("--seed", type=click.IntRange(0, 2**31), help="Draw the same numbers again.")
@click.option("--plain", is_flag=True, help="No colour, no drawn lines: for screen readers.")
@click.option(
    "--bank",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with your own banks, instead of those that come with quizprep.",
)
def ask(
    topics: tuple[str, ...],
    count: int | None,
    due: bool,
    everything: bool,
    kinds: tuple[str, ...],
    levels: tuple[str, ...],
    seed: int | None,
    plain: bool,
    bank: Path | None,
) -> None:
    """A round of questions: brought forward first, then due, then new.

    While a question waits: ? gives a hint, x shows the answer (a miss), s skips, q leaves.
    Everything answered is stored at once. Through a pipe, one line is one reply.
    """
    if due and everything:
        raise UsageError("--due and --all exclude each other.", hint="Give one of them.")
    wanted = Filter(
        kinds=frozenset(kinds),
        levels=frozenset(Level(level) for level in levels),
        only_due=due,
        also_early=everything,
        count=count or (None if everything else DEFAULT_COUNT),
    )
    library = Library(bank or shipped_root(), cache=default_home() / "cache")
    questions = _questions(library, topics)
    now = datetime.now(UTC)
    terminal = Terminal(plain=plain)
    with Store.open() as store:
        history = _history(store)
        picks = plan(questions, history, now, wanted)
        if not picks:
            _nothing_to_ask(terminal, [q for _, q in questions], wanted, history, now)
            return
        from quizprep.cli.round import Round

        base = int.from_bytes(os.urandom(4)) if seed is None else seed
        Round(terminal, library, store, picks, base).run()


def _questions(library: Library, topics: tuple[str, ...]) -> list[tuple[str, Question]]:
    names = [library.find_topic(name) for name in dict.fromkeys(topics)] or list(library.topics)
    if not names:
        raise UsageError(
            f"There are no question banks in {library.root}.",
            hint="A bank is a file TOPIC.yaml in that folder or in its folder 'questions'.",
        )
    return [(name, q) for name in dict.fromkeys(names) for q in library.bank(name).questions]


def _history(store: Store) -> History:
    answered = {question: at for question, (_, at) in store.last_reviews().items()}
    return History(load_cards(store), answered, store.due_marks())


def _nothing_to_ask(
    terminal: Terminal,
    questions: list[Question],
    wanted: Filter,
    history: History,
    now: datetime,
) -> None:
    admitted = [q for q in questions if wanted.admits(q)]
    if not admitted:
        terminal.say("No question fits: leave out --kind or --level, or name another topic.")
        return
    terminal.say("Nothing is due.")
    first = next_due(history.cards[q.id] for q in admitted if q.id in history.cards)
    if first is not None:
        terminal.say(f"The next question is due {in_words(first, now)}.")
    terminal.say("quizprep ask --all asks anyway." if first else "quizprep ask brings new ones.")
