"""What commands share: options, the content that they name, the day of the interview."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click

from quizprep.content.library import Exercise, Library, plain_id, shipped_root
from quizprep.content.questions import Level, Question
from quizprep.errors import QuizprepError, UsageError
from quizprep.quiz import times
from quizprep.store import Store, find_home

HELP_NAMES = {"help_option_names": ["-h", "--help"]}
LEVELS = click.Choice([level.value for level in Level])
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXERCISES = "--exercises"
_NO_DAY = "none"
_DAY_SETTING = "interview"


def _exercises(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    library = Library(ctx.params.get("folder") or shipped_root())
    return [id for id in library.exercise_ids if id.startswith(plain_id(begun))]


def _topics(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    library = Library(ctx.params.get("bank") or shipped_root())
    return [topic for topic in library.topics if plain_id(topic).startswith(plain_id(begun))]


exercise_argument = click.argument("exercise", shell_complete=_exercises)
topics_argument = click.argument("topics", nargs=-1, metavar="[TOPIC]...", shell_complete=_topics)
exercises_option = click.option(
    EXERCISES,
    "folder",
    type=FOLDER,
    help="Use your own exercises in this folder instead of those that come with quizprep.",
)
bank_option = click.option(
    "--bank",
    type=FOLDER,
    help="Use your own content in this folder instead of what comes with quizprep.",
)
levels_option = click.option(
    "--level", "levels", multiple=True, type=LEVELS, help="Use only this level; repeatable."
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**31), help="Draw the same questions and numbers again."
)
plain_option = click.option(
    "--plain", is_flag=True, help="Print without colour and drawn lines, for screen readers."
)
day_option = click.option(
    "--date",
    "day",
    metavar="DAY",
    help="The day of your interview, YYYY-MM-DD; remembered until 'none' is given.",
)


def library_of(bank: Path | None) -> Library:
    """The content in a folder, or what is shipped; decoded files are cached, if they can be."""
    home = find_home()
    return Library(bank or shipped_root(), cache=home and home / "cache")


def topics_of(library: Library, given: tuple[str, ...]) -> list[str]:
    """The topics named on the command line, without repeats; all topics if none is named."""
    names = [library.find_topic(name) for name in given] or list(library.topics)
    if not names:
        raise UsageError(
            f"There are no question banks in {library.root}.",
            hint="A bank is a file TOPIC.yaml in that folder or in its folder 'questions'.",
        )
    return list(dict.fromkeys(names))


def questions_named(
    library: Library, given: tuple[str, ...]
) -> tuple[list[tuple[str, Question]], bool]:
    """The questions, with their topics, of the topics, concepts and questions named; of all topics
    if nothing is named. The flag says whether single questions were named."""
    topics = {plain_id(topic): topic for topic in library.topics}
    if all(plain_id(name) in topics for name in given):
        names = topics_of(library, given)
        return [(t, q) for t in names for q in library.bank(t).questions], False
    wanted = dict.fromkeys(map(plain_id, given))
    found: dict[str, tuple[str, Question]] = {}
    used: set[str] = set()
    for id, (topic, question) in library.questions.items():
        about = {plain_id(each) for each in (id, topic, *question.concepts)}
        if about & wanted.keys():
            found[id] = topic, question
            used |= about & wanted.keys()
    for name in given:
        if plain_id(name) not in used:
            library.find_topic(name)  # raises, with the nearest
    return list(found.values()), any(plain_id(id) in wanted for id in found)


def library_in(folder: Path | None, cached: bool = False) -> Library:
    """The exercises in a folder, or those that are shipped.

    cached  whether what is shipped may be decoded into the learner's folder

    Raises UsageError if the folder holds no exercise, or one whose id is taken: attempts and
    hints are stored by id.
    """
    shipped = library_of(None) if cached else Library(shipped_root())
    if folder is None or folder.resolve() == shipped.root:
        return shipped
    # An absolute path: the processes that grade have other working folders.
    own = Library(folder.resolve())
    if not own.exercise_ids:
        raise UsageError(
            f"There are no exercises in {folder}.",
            hint=f"Begin one with: quizprep new exercise ID --folder {quoted(folder)}",
        )
    taken = {plain_id(id) for id in shipped.exercise_ids}
    for id in own.exercise_ids:
        if plain_id(id) in taken:
            raise UsageError(
                f"{id} in {folder} has the id of an exercise that comes with quizprep.",
                hint="Rename its folder and its solution: attempts are stored by id.",
            )
    return own


def quoted(path: Path) -> str:
    """A path as one types it into a shell."""
    import shlex

    return shlex.quote(str(path))


def command(verb: str, exercise: Exercise, folder: Path | None) -> str:
    """The command for an exercise, with its folder if it is the learner's own."""
    return f"quizprep {verb} {exercise.id}{in_folder(folder)}"


def in_folder(folder: Path | None) -> str:
    """What names a folder of the learner's own exercises at the end of a command."""
    return f" {EXERCISES} {quoted(folder)}" if folder is not None else ""


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError while writing a file that the user named into a QuizprepError."""
    try:
        yield
    except OSError as error:
        raise QuizprepError(f"{path} cannot be written: {error.strerror}.") from error


def interview_day(store: Store, given: str | None = None) -> date | None:
    """The day to plan towards: the day given, which is remembered, or the day remembered.

    ``none`` forgets it. Returns None if there is no day, or if it has passed.
    """
    today = times.today()
    remembered = store.setting(_DAY_SETTING)
    if given is None:
        try:
            day = date.fromisoformat(remembered)
        except ValueError:
            return None  # no day was given, or it is unreadable in a damaged file
        return day if day >= today else None
    chosen = None if given.strip().casefold() == _NO_DAY else _read_day(given)
    if chosen is not None and chosen < today:
        raise UsageError(
            f"{chosen} has passed; today is {today}.", hint="Give a day that is still to come."
        )
    text = chosen.isoformat() if chosen else ""
    if text != remembered:
        store.set_setting(_DAY_SETTING, text, times.now())
    return chosen


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a day.", hint=f"Write YYYY-MM-DD, such as {times.today()}, or none."
        ) from error
