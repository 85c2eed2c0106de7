"""What is right is right whatever the case stands beside, and how far off it may be is derived."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quizprep.exercise import Mistake
from quizprep.grading import wire
from quizprep.worker.backends import NumpyBackend, TorchBackend
from quizprep.worker.judge.comparison import (
    ROUGHLY,
    Expected,
    computed_lower,
    expect,
    expect_roughly,
    wrong,
)
from quizprep.worker.judge.diagnosis import Diagnosis, Models, Observed, diagnose
from quizprep.worker.judge.exercise_files import Mistakes, Reference, load_mistakes
from quizprep.worker.judge.preparation import case_inputs, expected_of, unchanged

NUMPY, TORCH = NumpyBackend(), TorchBackend()
FLOATS = st.floats(-100, 100, width=32)


# --- verdicts are symmetric in their cases ---


def softmax(x: np.ndarray, mistakes: frozenset[str] = frozenset()) -> np.ndarray:
    """A model with mistakes of several kinds: of shape, of value, raised, and of long rows only."""
    if "raises" in mistakes and x.shape[0] > 2:
        raise ValueError
    shifted = x - (0 if "no_shift" in mistakes else x.max(axis=-1, keepdims=True))
    e = np.exp(shifted)
    total = e.sum(axis=0 if "columns" in mistakes else -1, keepdims=True)
    if "skips_last" in mistakes and x.shape[1] > 2:
        total = e[:, :-1].sum(axis=-1, keepdims=True)
    return (e / total).T if "transposed" in mistakes else e / total


NAMES = ("raises", "no_shift", "columns", "skips_last", "transposed")
KNOWN = Mistakes({name: Mistake(says=name, concept="c") for name in NAMES}, softmax)
REFERENCE = Reference(
    lambda rng, rows, cols: {"x": rng.standard_normal((rows, cols))}, lambda x: softmax(x)
)


def case(
    rows: int,
    cols: int,
    dtype: str,
    layout: str = "contiguous",
    magnitude: float = 1.0,
    seed: int = 1,
) -> wire.Case:
    return wire.Case(
        params={"rows": rows, "cols": cols},
        dtype=dtype,
        layout=layout,
        magnitude=magnitude,
        seed=seed,
        guards=True,
        twice=False,
        fresh=False,
    )


CASES = st.lists(
    st.builds(
        case,
        st.integers(1, 4),
        st.integers(1, 4),
        st.sampled_from(["float32", "float64"]),
        st.sampled_from(["contiguous", "permuted", "strided"]),
        st.sampled_from([1.0, 10.0]),
        st.integers(0, 50),
    ),
    min_size=1,
    max_size=6,
)


def observed(cases: Sequence[wire.Case], faults: frozenset[str]) -> list[Observed]:
    """The cases as the judge sees them, of a submission with these faults."""
    found = []
    for each in cases:
        inputs = case_inputs(REFERENCE, each, NUMPY)
        args, right = inputs.args, expected_of(REFERENCE, each, inputs, NUMPY)
        try:
            got = softmax(*args, mistakes=faults).astype(np.float64)
        except ValueError:
            found.append(Observed(args, right, None, "ValueError", True))
            continue
        (value,), (allowed,) = right.values, right.allowed
        failed = got.shape != value.shape or bool(wrong(value, allowed, got).any())
        found.append(Observed(args, right, (got,), "", failed))
    return found


@given(CASES, st.sets(st.sampled_from(NAMES), max_size=3), st.randoms())
def test_a_verdict_is_symmetric_in_its_cases(
    cases: list[wire.Case], faults: set[str], dice: Any
) -> None:
    """The same cases in another order: each passes or fails as before, with the same allowance,
    and the same mistakes are named."""
    order = list(range(len(cases)))
    dice.shuffle(order)
    one = observed(cases, frozenset(faults))
    other = observed([cases[place] for place in order], frozenset(faults))
    for place, seen in zip(order, other, strict=True):
        assert (seen.failed, seen.raised) == (one[place].failed, one[place].raised)
        assert seen.expected.allowed == one[place].expected.allowed
    first, second = (diagnose(KNOWN, seen, NUMPY) for seen in (one, other))
    assert first == second


@given(CASES, st.sampled_from([{"columns"}, {"raises", "columns"}]), st.integers(0, 5))
def test_a_case_that_is_asked_twice_changes_no_name(
    cases: list[wire.Case], faults: set[str], at: int
) -> None:
    """What a case shows it shows once: repeating it adds nothing to a diagnosis."""
    seen = observed(cases, frozenset(faults))
    again = [*seen, seen[at % len(seen)]]
    assert diagnose(KNOWN, seen, NUMPY) == diagnose(KNOWN, again, NUMPY)


def test_runs_are_shared_between_diagnoses() -> None:
    """With the runs of an earlier diagnosis on the same cases no model runs again."""
    seen = observed([case(3, 3, "float64")], frozenset({"columns"}))
    models = Models(KNOWN, NUMPY)
    first = diagnose(KNOWN, seen, NUMPY, models)
    count = models.count
    assert diagnose(KNOWN, seen, NUMPY, models) == first
    assert models.count == count > 0
    assert [mistake.id for mistake in first.mistakes] == ["columns"]


def test_a_variant_is_named_once() -> None:
    """Two variants of one mistake that give the same outputs are one explanation, not two."""
    known = Mistakes(
        {"off": Mistake(says="off", concept="c", variants=("a", "b"))},
        lambda x, mistakes: x + bool(mistakes),
    )
    x = np.ones(3)
    right = expect(lambda x: x + 0, (x,), NUMPY, np.random.default_rng(0))
    seen = [Observed((x,), right, (x + 1,), "", True)]
    assert [mistake.id for mistake in diagnose(known, seen, NUMPY).mistakes] == ["off"]


def test_a_mistake_that_returns_another_number_of_values_is_another() -> None:
    """A model with two outputs does not explain a submission with one, however alike."""
    known = Mistakes({"two": Mistake(says="", concept="c")}, lambda x, mistakes: (x + 1, x))
    x = np.ones(3)
    right = expect(lambda x: x + 0, (x,), NUMPY, np.random.default_rng(0))
    assert diagnose(known, [Observed((x,), right, (x + 1,), "", True)], NUMPY) == Diagnosis()


def test_an_exercise_without_mistakes_knows_none(tmp_path: Any) -> None:
    """The file may be absent; then nothing is named, and nothing fails for it."""
    assert load_mistakes(str(tmp_path)).mistakes == {}


# --- how far off is right ---


@given(st.lists(FLOATS, min_size=1, max_size=5), st.floats(0, 10))
def test_an_allowance_of_the_exercise_adds_to_rounding(values: list[float], more: float) -> None:
    """One number for all outputs or one for each, an array entry by entry: never less is right."""
    x = np.array(values)
    right = expect(lambda x: (x, 2 * x), (x,), NUMPY, np.random.default_rng(0))
    for by in (more, (more, more), [np.full(x.shape, more)] * 2):
        wider = right.allowing(by)
        assert all(np.all(w == a + more) for w, a in zip(wider.allowed, right.allowed, strict=True))
        assert (wider.values, wider.dtypes) == (right.values, right.dtypes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_metered_point_is_judged_as_roughly_as_its_dtype(dtype: torch.dtype) -> None:
    """In every dtype its own rounding passes and a result without part of the work does not."""
    x = torch.randn(64, 64, generator=torch.Generator().manual_seed(1)).to(dtype)

    def solve(x: torch.Tensor) -> torch.Tensor:
        return x @ x

    right: Expected = expect_roughly(solve, (x,), TORCH)
    assert not wrong(right.values[0], right.allowed[0], TORCH.exact(solve(x))).any()
    assert wrong(right.values[0], right.allowed[0], TORCH.exact(x[:, :32] @ x[:32])).any()
    largest = float(np.abs(right.values[0]).max())
    assert float(np.max(right.allowed[0])) <= ROUGHLY * largest


def halves_refused(x: torch.Tensor) -> torch.Tensor:
    if x.dtype in (torch.float16, torch.bfloat16):
        raise RuntimeError("no kernel for halves")
    return x.exp()


@pytest.mark.parametrize(
    ("solve", "dtypes", "wanted"),
    [
        (torch.exp, ("float32", "bfloat16"), "bfloat16"),
        (torch.exp, ("float32",), ""),
        (halves_refused, ("float32", "bfloat16"), ""),
    ],
    ids=["exp", "not asked for", "no kernel"],
)
def test_a_lower_precision_is_told_where_it_can_be_computed(
    solve: Callable[[torch.Tensor], torch.Tensor], dtypes: tuple[str, ...], wanted: str
) -> None:
    """Errors of half precision are called that where the exercise has it; without a kernel for
    halves nothing is said."""
    x = torch.linspace(-2, 2, 50)
    right = expect(unchanged(solve), (x,), TORCH, np.random.default_rng(0))
    got = TORCH.exact(x.bfloat16().exp())
    assert computed_lower(solve, (x,), TORCH, right, (got,), dtypes) == wanted


def test_float32_is_told_where_float64_was_asked_for() -> None:
    """A computation in float32 loses what float64 has."""
    x = torch.linspace(-2, 2, 50, dtype=torch.float64)
    right = expect(unchanged(torch.exp), (x,), TORCH, np.random.default_rng(0))
    got = TORCH.exact(x.float().exp())
    assert computed_lower(torch.exp, (x,), TORCH, right, (got,), ("float64",)) == "float32"
