"""Answers to authors' requests about an exercise, for which no submission is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from quizprep.grading import wire
from quizprep.worker.backends import Array, Backend, backend_for
from quizprep.worker.judge.diagnosis import Models, Observed, candidates, diagnose
from quizprep.worker.judge.exercise_files import Reference, load_mistakes, load_reference
from quizprep.worker.judge.preparation import case_inputs, expected_of

Inputs = Mapping[str, Array]


def answer(request: wire.Asked) -> wire.Answer:
    """The answer to any of these requests."""
    match request:
        case wire.TellApart():
            return tell_apart(request)
        case wire.Probe():
            return _probe(request)
        case wire.Describe(folder=folder):
            known = load_mistakes(folder).mistakes
            return wire.Described(
                switches={name: mistake.switches(name) for name, mistake in known.items()},
                concepts={name: mistake.concept for name, mistake in known.items()},
            )


# --- which combinations of mistakes can be told apart? -------------------------------------


def tell_apart(request: wire.TellApart) -> wire.ToldApart:
    """Diagnose every pair of mistakes, in every variant, on the request's cases.

    Each pair is diagnosed as if a learner had submitted it, but in one process, so that hundreds
    of pairs take seconds.
    """
    backend = backend_for(request.runtime)
    reference = load_reference(request.folder)
    known = load_mistakes(request.folder, reference)
    unanswered: list[Observed] = []
    for case in request.cases:
        inputs = case_inputs(reference, case, backend)
        expected = expected_of(reference, case, inputs, backend)
        unanswered.append(
            Observed(inputs.args, expected, None, "", False, inputs.transform, dtype=case.dtype)
        )
    models = Models(known, backend)
    pairs = []
    for names, switches in candidates(known, 2):
        seen = [_observed(models, switches, place, case) for place, case in enumerate(unanswered)]
        found = diagnose(known, seen, backend, models)
        named = () if found.alternatives else found.mistakes
        pairs.append(
            wire.Pair(
                names=names,
                switches=tuple(sorted(switches)),
                fails=any(case.failed for case in seen),
                named=tuple(mistake.id for mistake in named),
            )
        )
    return wire.ToldApart(pairs=tuple(pairs))


def _observed(models: Models, switches: frozenset[str], place: int, case: Observed) -> Observed:
    """The case as observed if the submission made these mistakes."""
    run = models.run(switches, place, case)
    if isinstance(run, str):
        return replace(case, raised=run, failed=True)
    return replace(case, outputs=run.values, failed=not case.expected.accepts(run.values))


# --- which keys does each query see? -------------------------------------------------------


def _probe(request: wire.Probe) -> wire.Probed:
    """The mask of the first sequence and head, found by running the reference.

    Query i sees key j if output row i changes with value row j; v has the shape (b, h, m, d). A
    cache takes its queries one at a time: its row i is the last output of a stream of i + 1 tokens.
    """
    backend = backend_for("torch")
    reference = load_reference(request.folder)
    inputs = reference.make_inputs(np.random.default_rng(request.seed), **request.params)
    rows = _streamed_rows if reference.drive is not None else _rows
    return wire.Probed(
        visible=visible(lambda v: rows(reference, backend, {**inputs, "v": v}), inputs["v"])
    )


def visible(
    outputs: Callable[[np.ndarray], np.ndarray], v: np.ndarray
) -> tuple[tuple[bool, ...], ...]:
    """Which value rows change which output rows; ``outputs`` maps v (b, h, m, d) to rows (n, d).

    Raises ValueError if no row changes at all: then the rows are not those of attention.
    """
    before = outputs(v)
    columns = []
    for key in range(v.shape[2]):
        changed = v.copy()
        changed[:, :, key] += 1
        columns.append((outputs(changed) != before).any(axis=-1))
    mask = np.stack(columns, axis=1)
    if not mask.any():
        raise ValueError("no output changes with any value")
    return tuple(tuple(row) for row in mask.tolist())


def _solved(reference: Reference, backend: Backend, inputs: Inputs) -> Array:
    """What the reference returns for numpy inputs."""
    return reference.solve(
        *(
            backend.from_numpy(value) if isinstance(value, np.ndarray) else value
            for value in inputs.values()
        )
    )


def _rows(reference: Reference, backend: Backend, inputs: Inputs) -> np.ndarray:
    """All output rows of one call, (n, d)."""
    found = _solved(reference, backend, inputs)
    return backend.exact((found[0] if isinstance(found, tuple) else found)[0, 0])


def _streamed_rows(reference: Reference, backend: Backend, inputs: Inputs) -> np.ndarray:
    """The last output row of every prefix of the stream, (n, d)."""
    rows = []
    for length in range(1, inputs["v"].shape[2] + 1):
        prefix = {
            name: value[:, :, :length]
            if isinstance(value, np.ndarray) and value.ndim == 4
            else value
            for name, value in inputs.items()
        }
        rows.append(backend.exact(_solved(reference, backend, prefix)[-1][0, 0, -1]))
    return np.stack(rows)
