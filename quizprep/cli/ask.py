"""``quizprep ask``: a round of questions, marked and scheduled. ``undo`` takes an answer back."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import click

from quizprep.cli.options import (
    HELP_NAMES,
    bank_option,
    day_option,
    interview_day,
    levels_option,
    library_of,
    plain_option,
    questions_named,
    seed_option,
    topics_argument,
    topics_of,
)
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Library
from quizprep.content.questions import Level, Question
from quizprep.errors import QuizprepError, UsageError
from quizprep.quiz import times
from quizprep.quiz.scheduling import EXPECTED_SECONDS, next_due, reschedule
from quizprep.quiz.selection import DEFAULT_COUNT, Filter, History, Pick, plan
from quizprep.store import Review, Store

_KINDS = sorted(EXPECTED_SECONDS)
_QUOTED = 60
"""Characters of a reply that ``undo`` quotes."""


@click.command(context_settings=HELP_NAMES)
@topics_argument
@click.option("-n", "count", type=click.IntRange(min=1), help="How many questions (default 10).")
@click.option("--due", is_flag=True, help="Ask only what is due or was brought forward.")
@click.option(
    "--chain",
    "chained",
    is_flag=True,
    help="Ask one line of thought, deeper after each good answer, as an interviewer does.",
)
@click.option("--cram", is_flag=True, help="Ask what you answered worst, due or not.")
@click.option("--bookmarked", is_flag=True, help="Ask what you bookmarked (key *), due or not.")
@click.option("--no-record", is_flag=True, help="Store nothing of this round.")
@click.option("--all", "everything", is_flag=True, help="Ask every question, due or not.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(_KINDS),
    help="Ask only this kind; repeatable.",
)
@levels_option
@day_option
@seed_option
@plain_option
@bank_option
def ask(
    topics: tuple[str, ...],
    count: int | None,
    due: bool,
    chained: bool,
    cram: bool,
    bookmarked: bool,
    no_record: bool,
    everything: bool,
    kinds: tuple[str, ...],
    levels: tuple[str, ...],
    day: str | None,
    seed: int | None,
    plain: bool,
    bank: Path | None,
) -> None:
    """Ask a round of questions: brought forward first, then due, then new.

    With --date the round plans towards your interview: questions that you are likely to have
    forgotten by that day alternate with new ones, spread evenly over the days that are left. The
    round then ends with the recall expected on that day.

    A question or a concept may be named instead of a topic; quizprep search finds them.

    At a question: ? gives a hint, x shows the answer and counts as missed, s skips, * bookmarks it
    with a note, u takes the last answer back, q leaves. Every answer is stored at once. Through a
    pipe, each line is one reply.
    """
    chosen = {"--due": due, "--all": everything, "--cram": cram, "--bookmarked": bookmarked}
    ways = [option for option, given in chosen.items() if given]
    if len(ways) > 1:
        raise UsageError(f"{' and '.join(ways)} exclude each other.", hint="Give one of them.")
    if day and ways:
        raise UsageError("--date plans the round by itself.", hint=f"Leave out {ways[0]}.")
    if chained and (ways or day or count or kinds or levels):
        raise UsageError(
            "--chain chooses its questions by itself.",
            hint="Leave out the other options; topics, --seed, --plain and --bank may stay.",
        )
    library = library_of(bank)
    questions, by_name = questions_named(library, topics)
    wanted = Filter(
        kinds=frozenset(kinds),
        levels=frozenset(Level(level) for level in levels),
        only_due=due,
        also_early=everything or bookmarked or by_name,
        weakest=cram,
        count=count or (None if everything else DEFAULT_COUNT),
    )
    terminal = Terminal(plain=plain)
    with _store(no_record) as store:
        if no_record:
            terminal.say("Nothing of this round is stored.", "dim")
        if chained:
            _ask_chain(terminal, library, store, topics_of(library, topics), seed)
            return
        if bookmarked:
            kept = store.bookmarks()
            questions = [(topic, q) for topic, q in questions if q.id in kept]
        towards = None if ways or by_name else interview_day(store, day)
        # A round asks when a question was answered, never how well.
        history = History.of(store) if cram else History.of(store, recent=1)
        if towards is None:
            picks = plan(questions, history, times.now(), wanted)
        else:
            picks = _picks_towards(terminal, store, towards, questions, history, wanted)
        if picks:
            from quizprep.cli.round import Round

            base = int.from_bytes(os.urandom(4)) if seed is None else seed
            Round(terminal, library, store, picks, base).run()
        elif towards is None:
            if cram or bookmarked:
                none = "was answered yet" if cram else "is bookmarked: * at a question does it"
                terminal.say(f"No question of these {none}.")
                return
            _nothing_to_ask(terminal, [q for _, q in questions], wanted, history)
        if towards is not None:
            _show_expected(terminal, towards, questions, history, History.of(store))


def _ask_chain(
    terminal: Terminal, library: Library, store: Store, topics: Sequence[str], seed: int | None
) -> None:
    """Ask one chain of these topics, question by question."""
    from quizprep.cli.round import CHAIN_LEFT, Round
    from quizprep.quiz.chains import chain_to_ask
    from quizprep.quiz.selection import Why

    chains = [chain for topic in topics for chain in library.bank(topic).chains]
    history = History.of(store, recent=1)
    asked = {name: card.review for name, card in history.cards.items()}
    chain = chain_to_ask(chains, asked, store.setting(CHAIN_LEFT))
    if chain is None:
        terminal.say("These topics have no chains: quizprep ask asks single questions.")
        return
    terminal.say(f"{chain.title}: {len(chain.steps)} questions, each deeper.", "bold")
    topic, question = library.questions[chain.steps[0].ask]
    base = int.from_bytes(os.urandom(4)) if seed is None else seed
    Round(terminal, library, store, [Pick(topic, question, Why.NEW)], base, chain).run()


@contextlib.contextmanager
def _store(no_record: bool) -> Iterator[Store]:
    """The store, or a copy of it that is thrown away."""
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(Store.open())
        yield stack.enter_context(store.in_memory()) if no_record else store


@click.command()
def undo() -> None:
    """Take the last answer back, as if it had not been given. Run it again for the one before.

    The answer stays on record; it no longer counts.
    """
    with Store.open() as store:
        review = store.last_review()
        if review is None:
            raise QuizprepError("There is no answer to take back.")
        store.void_review(review, times.now(), reschedule)
        left = len(store.reviews(review.question))
    terminal = Terminal()
    terminal.say(f"Taken back: {_what(review)}")
    before = f"Its {left} earlier answers count." if left > 1 else "Its earlier answer counts."
    terminal.say(before if left else "The question counts as not asked.", "dim")


def _picks_towards(
    terminal: Terminal,
    store: Store,
    day: date,
    questions: list[tuple[str, Question]],
    history: History,
    wanted: Filter,
) -> list[Pick]:
    """The questions for today in a plan towards a day; says how many there are."""
    from quizprep.quiz.recall import planned_today
    from quizprep.text import counted

    today = times.today()
    portion = planned_today(store, day, questions, history, wanted)
    on_the_day = f"Interview on {times.in_full(day)}"
    count = counted(len(portion), "question")
    terminal.say(
        f"{on_the_day}, {times.distance(day, today)}: {count} for today. --date none forgets the "
        "day."
        if portion
        else f"{on_the_day}: nothing more for today. quizprep ask --all asks anyway."
    )
    return portion[: wanted.count]


def _show_expected(
    terminal: Terminal,
    day: date,
    questions: list[tuple[str, Question]],
    before: History,
    after: History,
) -> None:
    """Print the recall expected on the day by topic, and how the round changed it."""
    from quizprep.cli.charts import show_recall
    from quizprep.quiz.recall import recall_by_topic

    at = max(times.noon(day), times.now())
    earlier = recall_by_topic(questions, before.cards, at)
    terminal.heading(f"Recall expected on {times.in_full(day)}")
    show_recall(terminal, recall_by_topic(questions, after.cards, at), earlier)


def _nothing_to_ask(
    terminal: Terminal,
    questions: list[Question],
    wanted: Filter,
    history: History,
) -> None:
    admitted = [q for q in questions if wanted.admits(q)]
    if not admitted:
        terminal.say("No question fits: leave out --kind or --level, or name another topic.")
        return
    terminal.say("Nothing is due.")
    first = next_due(history.cards[q.id] for q in admitted if q.id in history.cards)
    if first is not None:
        terminal.say(f"The next question is due {times.in_words(first, times.now())}.")
    terminal.say("quizprep ask --all asks anyway." if first else "quizprep ask brings new ones.")


def _what(review: Review) -> str:
    when = review.at.astimezone()
    reply = " ".join(review.reply.split())
    short = reply if len(reply) <= _QUOTED else f"{reply[:_QUOTED].rstrip()}..."
    said = f"your reply {short!r} ({round(100 * review.score)}%)" if reply else "'show me'"
    return f"{review.question}, {said} of {when.day} {when:%B}, {when:%H:%M}."
