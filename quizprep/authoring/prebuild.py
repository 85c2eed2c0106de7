"""``python -m quizprep.authoring.prebuild``: decode the shipped content at build time.

The build of a wheel and an editable install run it (``hatch_build.py``), so that no start of the
program has to read YAML.
"""

from __future__ import annotations

from quizprep.content.cache import prebuild
from quizprep.content.library import CHEAT, Library, shipped_root
from quizprep.errors import ContentError


def main() -> None:
    """Write a cache entry for every file that loads; the content check reports the others."""
    library = Library(shipped_root())
    folder = library.question_folder
    for topic in library.topics:
        try:
            prebuild(folder / f"{topic}.yaml", library.bank(topic))
        except ContentError:
            continue
    for name in library.exercise_ids:
        try:
            exercise = library.exercise(name)
        except ContentError:
            continue
        prebuild(exercise.folder / "exercise.yaml", exercise.spec)
    prebuild(folder / "concepts.yaml", library.concepts)
    prebuild(folder / "sources.yaml", library.sources)
    prebuild(folder / CHEAT, library.cheat)


if __name__ == "__main__":
    main()
