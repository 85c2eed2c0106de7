"""Which combinations of mistakes can be told apart on a set of cases?

The content's own test: each pair of mistakes is diagnosed as if a learner had submitted it,
with the same `diagnose`, but in one process, so that hundreds of pairs cost seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from quizprep.grading import wire
from quizprep.worker.backends import Backend, backend_for
from quizprep.worker.judge.comparison import Expected, wrong
from quizprep.worker.judge.diagnosis import Models, Observed, candidates, diagnose
from quizprep.worker.judge.exercise_files import Mistakes, load_mistakes, load_reference
from quizprep.worker.judge.preparation import Around, as_it_is, expected_of, lay_case, weighted


def tell_apart(request: wire.TellApart) -> wire.ToldApart:
    """Diagnose every pair of mistakes, in every variant, on the request's cases."""
    backend = backend_for(request.runtime)
    reference = load_reference(request.folder)
    known = load_mistakes(request.folder, reference)
    blank: list[Observed] = []
    for case in request.cases:
        laid = lay_case(reference, case, backend)
        around: Around = as_it_is
        if case.gradients:
            laid, around = weighted(laid, case, reference, backend)
        args = laid.views(backend)
        expected = expected_of(reference, case, args, backend, around)
        blank.append(Observed(args, expected, None, "", False, around))
    models = Models(known, backend)
    pairs = []
    for names, switches in candidates(known, 2):
        seen = [_observed(models, switches, place, case) for place, case in enumerate(blank)]
        pairs.append(
            wire.Pair(
                names=names,
                switches=tuple(sorted(switches)),
                fails=any(case.failed for case in seen),
                named=_names(known, seen, backend, models),
            )
        )
    return wire.ToldApart(pairs=tuple(pairs))


def _names(
    known: Mistakes, seen: Sequence[Observed], backend: Backend, models: Models
) -> tuple[str, ...]:
    return tuple(mistake.id for mistake in diagnose(known, seen, backend, models))


def _observed(models: Models, switches: frozenset[str], place: int, case: Observed) -> Observed:
    """The case as it would look if the submission made these mistakes."""
    run = models.run(switches, place, case)
    if isinstance(run, str):
        return replace(case, raised=run, failed=True)
    failed = not _right(case.expected, run)
    return replace(case, outputs=run.values, failed=failed)


def _right(expected: Expected, run: Expected) -> bool:
    return len(expected.values) == len(run.values) and all(
        value.shape == got.shape and not wrong(value, allowed, got).any()
        for value, allowed, got in zip(expected.values, expected.allowed, run.values, strict=True)
    )
