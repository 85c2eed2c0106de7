"""``python -m quizprep.authoring.prebuild``: decode what is shipped once, before anybody starts it.

The build of the wheel runs it (``hatch_build.py``), an editable install too.
"""

from __future__ import annotations

from quizprep.content.cache import prebuild
from quizprep.content.library import Library, shipped_root
from quizprep.errors import ContentError


def main() -> None:
    """Write an entry for every file that loads; a faulty one is left for the content check."""
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


if __name__ == "__main__":
    main()
