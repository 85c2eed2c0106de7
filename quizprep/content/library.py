"""Where content lives and how it is loaded: the shipped library, or a folder the user names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from quizprep.content.questions import Bank, Concept, Level, Question, Source
from quizprep.errors import ContentError, UsageError
from quizprep.text import did_you_mean

if TYPE_CHECKING:
    from quizprep.content.cheat import CheatContent
    from quizprep.content.exercises import ExerciseSpec
    from quizprep.content.pictures import Hardware, Pictures

T = TypeVar("T")

MEASURED = "measured.yaml"
"""The file of an exercise with the solution's cost formulas."""
CHEAT = "cheat.yaml"
"""The file in ``questions`` that says what cheat sheets show."""
PLOTS, HARDWARE = "plots.yaml", "hardware.yaml"
"""Files in ``exercises`` that say which pictures sheets show."""
NO_BANKS = frozenset(("concepts", "sources", "cheat"))
"""Files in ``questions`` that are no banks."""


def shipped_root() -> Path:
    """The folder with ``questions``, ``exercises`` and ``solutions``.

    In a wheel it lies inside the package, in a checkout beside it.
    """
    package = Path(__file__).resolve().parents[1]
    inside = package / "_content"
    return inside if inside.is_dir() else package.parent


def plain_id(text: str) -> str:
    """One spelling of an id: hyphens and underscores are alike, case is ignored."""
    return text.strip().lower().replace("-", "_")


@dataclass(frozen=True)
class Exercise:
    """One exercise folder. Its Python files are read by the worker only.

    measured  the solution's exact cost formula by meter, such as ``4*b*h*n^2*d``; empty where
              the file is missing
    """

    id: str
    folder: Path
    solution: Path
    spec: ExerciseSpec
    measured: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The text of one of its files, such as ``README.md`` or ``starter.py``."""
        return (self.folder / name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Library:
    """All content under one root. Everything is loaded on first use and raises ContentError.

    root   the folder that holds ``exercises``, ``solutions`` and ``questions``; what is shipped,
           unless another is given
    cache  a folder in which decoded files may be kept, so that a start reads no YAML
    fixed  whether banks are read once, as in a server; otherwise an edit is seen at once
    """

    root: Path = field(default_factory=shipped_root)
    cache: Path | None = None
    fixed: bool = False

    @cached_property
    def question_folder(self) -> Path:
        """Where the banks lie: ``questions``, or the root itself in a folder of banks only."""
        inside = self.root / "questions"
        return inside if inside.is_dir() else self.root

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """The topics that have a bank, by file name, in alphabetical order."""
        files = self.question_folder.glob("*.yaml")
        return tuple(sorted(p.stem for p in files if p.stem not in NO_BANKS))

    def find_topic(self, name: str) -> str:
        """The topic called name; raises UsageError that lists what there is."""
        return _find(name, self.topics, "topic")

    def bank(self, topic: str) -> Bank:
        """The bank of a topic."""
        if self.fixed and topic in self.banks:
            return self.banks[topic]
        return self._read_bank(topic)

    def _read_bank(self, topic: str) -> Bank:
        return self._load(self.question_folder / f"{topic}.yaml", Bank)

    @cached_property
    def banks(self) -> dict[str, Bank]:
        """Every bank by topic."""
        return {topic: self._read_bank(topic) for topic in self.topics}

    @cached_property
    def questions(self) -> dict[str, tuple[str, Question]]:
        """Every question by id, with its topic."""
        return {q.id: (topic, q) for topic, bank in self.banks.items() for q in bank.questions}

    @cached_property
    def concepts(self) -> dict[str, Concept]:
        """The concepts by id."""
        return self._load(self._own_or_shipped("questions", "concepts.yaml"), dict[str, Concept])

    def concepts_of(self, topic: str) -> set[str]:
        """The ids of the concepts of a topic."""
        return {name for name, concept in self.concepts.items() if concept.topic == topic}

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The primary sources by id."""
        return self._load(self._own_or_shipped("questions", "sources.yaml"), dict[str, Source])

    @cached_property
    def cheat(self) -> CheatContent:
        """What cheat sheets show; nothing of banks that have no such file."""
        from quizprep.content.cheat import CheatContent

        path = self._own_or_shipped("questions", CHEAT)
        return self._load(path, CheatContent) if path.exists() else CheatContent(format=1)

    @cached_property
    def pictures(self) -> Pictures:
        """Which pictures sheets show."""
        from quizprep.content.pictures import Pictures

        return self._load(self._own_or_shipped("exercises", PLOTS), Pictures)

    @cached_property
    def hardware(self) -> dict[str, Hardware]:
        """The machines that pictures compare with, by id."""
        from quizprep.content.pictures import Hardware

        return self._load(self._own_or_shipped("exercises", HARDWARE), dict[str, Hardware])

    @cached_property
    def exercise_ids(self) -> tuple[str, ...]:
        """Folders under ``exercises`` that hold an ``exercise.yaml``, in alphabetical order."""
        return tuple(
            sorted(p.parent.name for p in (self.root / "exercises").glob("*/exercise.yaml"))
        )

    def exercise(self, name: str) -> Exercise:
        """The exercise called name; raises UsageError that lists what there is."""
        # Making the type takes 15 ms, a tenth of the time to the first question of `ask`.
        from quizprep.content.exercises import ExerciseSpec

        found = _find(name, self.exercise_ids, "exercise")
        folder = self.root / "exercises" / found
        measured = folder / MEASURED
        return Exercise(
            id=found,
            folder=folder,
            solution=self.root / "solutions" / f"{found}.py",
            spec=self._load(folder / "exercise.yaml", ExerciseSpec),
            measured=self._load(measured, dict[str, str]) if measured.is_file() else {},
        )

    @cached_property
    def exercises(self) -> tuple[Exercise, ...]:
        """Every exercise, in alphabetical order."""
        return tuple(self.exercise(name) for name in self.exercise_ids)

    def _own_or_shipped(self, folder: str, name: str) -> Path:
        """A file of this library, or the one that is shipped where this library has none."""
        own = (self.question_folder if folder == "questions" else self.root / folder) / name
        return own if own.exists() else shipped_root() / folder / name

    def _load(self, path: Path, kind: type[T]) -> T:
        if self.cache is None:
            return _read(path, kind)
        from quizprep.content.cache import cached

        return cached(path, kind, self.cache, _read)


def _read(path: Path, kind: type[T]) -> T:
    """The content of a file; that of an exercise.yaml has no faults inside it, and ``quizprep
    check`` looks at its references. The YAML reader is imported only here, on the first use."""
    from quizprep.content.loading import load_file, placed

    content = load_file(path, kind)
    if path.name == "exercise.yaml":
        from quizprep.content.exercise_checks import spec_findings
        from quizprep.content.exercises import ExerciseSpec

        assert isinstance(content, ExerciseSpec)
        if problems := placed(path, list(spec_findings(content))):
            raise ContentError(problems)
    return content


def _find(name: str, known: tuple[str, ...], noun: str) -> str:
    wanted = plain_id(name)
    for candidate in known:
        if plain_id(candidate) == wanted:
            return candidate
    near = did_you_mean(wanted, known)
    listed = ", ".join(known) or "none"
    raise UsageError(f"There is no {noun} called {name!r}.{near}", hint=f"There are: {listed}.")


def path_order(exercises: Iterable[Exercise]) -> list[Exercise]:
    """Every exercise after those it names in ``after``; the easier and shorter of two first.

    A prerequisite that does not exist is ignored. Exercises that wait for each other come last;
    the content check reports them.
    """
    waiting = sorted(exercises, key=_effort)
    ordered: list[Exercise] = []
    while waiting:
        missing = {exercise.id for exercise in waiting}
        free = (e for e in waiting if missing.isdisjoint(e.spec.after))
        chosen = next(free, waiting[0])
        ordered.append(chosen)
        waiting.remove(chosen)
    return ordered


def _effort(exercise: Exercise) -> tuple[int, int, str]:
    return list(Level).index(exercise.spec.level), exercise.spec.minutes, exercise.id
