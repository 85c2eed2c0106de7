"""Which keys does each query see? Asked of the reference, so that a picture of a mask is measured.

Query i sees key j where output row i changes when value j does. A cache takes its queries one
by one: its row i is the last output of a stream that ends with token i.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quizprep.grading import wire
from quizprep.worker.judge.exercise_files import Reference, load_reference

Inputs = Mapping[str, Any]


def probe(request: wire.Probe) -> wire.Probed:
    """The mask of the first sequence and head; v has the shape (b, h, m, d)."""
    reference = load_reference(request.folder)
    made = reference.make_inputs(np.random.default_rng(request.seed), **request.params)
    inputs = {
        name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
        for name, value in made.items()
    }
    rows = _streamed if reference.drive is not None else _at_once
    return wire.Probed(visible=visible(lambda v: rows(reference, inputs | {"v": v}), inputs["v"]))


def visible(outputs: Callable[[Tensor], Tensor], v: Tensor) -> tuple[tuple[bool, ...], ...]:
    """Rows of the output (n, d) as a function of v (b, h, m, d): which values change which.

    Raises ValueError where nothing is seen at all: then the rows are not those of attention.
    """
    before = outputs(v)
    columns = []
    for key in range(v.shape[2]):
        moved = v.clone()
        moved[:, :, key] += 1
        columns.append((outputs(moved) != before).any(dim=-1))
    mask = torch.stack(columns, dim=1)
    if not mask.any():
        raise ValueError("no output changes with any value")
    return tuple(tuple(row) for row in mask.tolist())


def _at_once(reference: Reference, inputs: Inputs) -> Tensor:
    """All rows of one call, (n, d)."""
    found = reference.solve(*inputs.values())
    output: Tensor = found[0] if isinstance(found, tuple) else found
    return output[0, 0]


def _streamed(reference: Reference, inputs: Inputs) -> Tensor:
    """The last row of every stream that is a beginning of this one, (n, d)."""
    n = inputs["v"].shape[2]
    rows = []
    for length in range(1, n + 1):
        begun = {
            name: value[:, :, :length] if isinstance(value, Tensor) and value.ndim == 4 else value
            for name, value in inputs.items()
        }
        rows.append(reference.solve(*begun.values())[-1][0, 0, -1])
    return torch.stack(rows)
