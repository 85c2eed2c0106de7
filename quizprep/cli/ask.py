"""``quizprep ask``: a round of questions, marked and scheduled."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path

import click

from quizprep.cli import clock
from quizprep.cli.interview_date import HELP, interview_day
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Level, Question
from quizprep.errors import UsageError
from quizprep.quiz.scheduling import EXPECTED_SECONDS, cards_after, next_due
from quizprep.quiz.selection import DEFAULT_COUNT, Filter, History, Pick, plan
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
@click.option("--date", "day", metavar="DAY", help=HELP)
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
    day: str | None,
    seed: int | None,
    plain: bool,
    bank: Path | None,
) -> None:
    """A round of questions: brought forward first, then due, then new.

    Towards the day of an interview, what is most likely forgotten by then takes turns with an
    equal share of new questions a day; at the end stands the recall expected on that day.

    While a question waits: ? gives a hint, x shows the answer (a miss), s skips, u takes the
    last answer back, q leaves. Everything answered is stored at once. Through a pipe, one line
    is one reply.
    """
    if due and everything:
        raise UsageError("--due and --all exclude each other.", hint="Give one of them.")
    if day and (due or everything):
        raise UsageError("--date plans the round by itself.", hint="Leave out --due and --all.")
    wanted = Filter(
        kinds=frozenset(kinds),
        levels=frozenset(Level(level) for level in levels),
        only_due=due,
        also_early=everything,
        count=count or (None if everything else DEFAULT_COUNT),
    )
    library = Library(bank or shipped_root(), cache=default_home() / "cache")
    questions = _questions(library, topics)
    now = clock.now()
    terminal = Terminal(plain=plain)
    with Store.open() as store:
        towards = None if due or everything else interview_day(store, day)
        history = _history(store)
        if towards is None:
            picks = plan(questions, history, now, wanted)
        else:
            picks = _picks_towards(terminal, store, towards, questions, history, wanted)
        if picks:
            from quizprep.cli.round import Round

            base = int.from_bytes(os.urandom(4)) if seed is None else seed
            Round(terminal, library, store, picks, base).run()
        elif towards is None:
            _nothing_to_ask(terminal, [q for _, q in questions], wanted, history, now)
        if towards is not None:
            _show_expected(terminal, towards, questions, history, _history(store))


def _questions(library: Library, topics: tuple[str, ...]) -> list[tuple[str, Question]]:
    names = [library.find_topic(name) for name in dict.fromkeys(topics)] or list(library.topics)
    if not names:
        raise UsageError(
            f"There are no question banks in {library.root}.",
            hint="A bank is a file TOPIC.yaml in that folder or in its folder 'questions'.",
        )
    return [(name, q) for name in dict.fromkeys(names) for q in library.bank(name).questions]


def _history(store: Store) -> History:
    latest = store.latest()
    answered = {question: answer.at for question, answer in latest.items()}
    return History(cards_after(store, latest), answered, store.due_marks())


def _picks_towards(
    terminal: Terminal,
    store: Store,
    day: date,
    questions: list[tuple[str, Question]],
    history: History,
    wanted: Filter,
) -> list[Pick]:
    """The round that plans towards a day, and word of how much there is for today."""
    from quizprep.quiz.days import begins, distance, in_full, noon
    from quizprep.quiz.recall import Day, plan_towards
    from quizprep.text import counted

    today = clock.today()
    midnight = begins(today)
    facts = Day(
        at=max(noon(day), clock.now()),
        days_left=max(1, (day - today).days),
        midnight=midnight,
        new_today=store.first_answers(midnight),
    )
    portion = plan_towards(facts, questions, history, clock.now(), wanted)
    terminal.say(
        f"Interview on {in_full(day)}, {distance(day, today)}: "
        f"{counted(len(portion), 'question')} for today. --date none forgets the day."
        if portion
        else f"Interview on {in_full(day)}: nothing more for today. quizprep ask --all asks anyway."
    )
    return portion[: wanted.count]


def _show_expected(
    terminal: Terminal,
    day: date,
    questions: list[tuple[str, Question]],
    before: History,
    after: History,
) -> None:
    """The recall expected on the day, topic by topic, and what the round changed."""
    from quizprep.cli.recall_text import show_recall
    from quizprep.quiz.days import in_full, noon
    from quizprep.quiz.recall import recall_by_topic

    at = max(noon(day), clock.now())
    earlier = recall_by_topic(questions, before.cards, at)
    terminal.heading(f"Recall expected on {in_full(day)}")
    show_recall(terminal, recall_by_topic(questions, after.cards, at), earlier)


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
