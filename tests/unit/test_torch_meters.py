"""The meters count what is done, however it is written."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quizprep.worker.learner.lines import Recorder
from quizprep.worker.learner.numpy_meters import CountingArray, count_flops
from quizprep.worker.learner.torch_meters import Meters

SIZE = st.integers(0, 4)
LETTERS = "abcdef"


# --- numpy ---


def counted(call: Callable[..., Any], *inputs: Any) -> dict[str, int]:
    """The readings of a call whose outputs are the same as without meters."""
    answer, readings = count_flops(call, inputs, Recorder())
    wanted = call(*inputs)
    pairs = zip(answer, wanted, strict=True) if isinstance(wanted, tuple) else [(answer, wanted)]
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert readings is not None
    return readings


@st.composite
def einsums(draw: st.DrawFn) -> tuple[str, str, str, dict[str, int]]:
    """Indices of two operands and an output, with their lengths."""
    lengths = {letter: draw(SIZE) for letter in LETTERS}
    left, right = (
        "".join(draw(st.lists(st.sampled_from(LETTERS), unique=True, max_size=4))) for _ in range(2)
    )
    both = sorted({*left, *right})
    output = "".join(draw(st.permutations(both)))[: draw(st.integers(0, len(both)))]
    return left, right, output, lengths


def ones(indices: str, lengths: dict[str, int]) -> np.ndarray:
    return np.ones([lengths[index] for index in indices])


@given(einsums())
def test_an_einsum_counts_every_combination_of_its_indices(
    drawn: tuple[str, str, str, dict[str, int]],
) -> None:
    """As text, as lists of numbers, and with its first or last indices under dots."""
    left, right, output, lengths = drawn
    x, y = ones(left, lengths), ones(right, lengths)
    wanted = 2 * math.prod(lengths[index] for index in {*left, *right})
    text = f"{left}, {right} -> {output}"
    assert counted(lambda x, y: np.einsum(text, x, y), x, y)["flops"] == wanted
    one, other, out = ([LETTERS.index(i) for i in part] for part in (left, right, output))
    assert counted(lambda x, y: np.einsum(x, one, y, other, out), x, y)["flops"] == wanted


@given(st.lists(SIZE, min_size=1, max_size=3), SIZE, SIZE, SIZE, st.integers(0, 2))
def test_an_einsum_under_dots_is_the_product(
    batch: list[int], n: int, m: int, d: int, fewer: int
) -> None:
    """Axes under dots are every axis that is not named, also where one operand has fewer."""
    q, k = np.ones((*batch, n, d)), np.ones((*batch[min(fewer, len(batch)) :], m, d))
    found = counted(lambda q, k: np.einsum("...nd,...md->...nm", q, k), q, k)
    assert found["flops"] == 2 * math.prod(batch) * n * m * d
    lists = counted(lambda q, k: np.einsum(q, [..., 0, 2], k, [..., 1, 2], [..., 0, 1]), q, k)
    assert lists == found


@given(st.lists(SIZE, max_size=2), st.integers(0, 2), SIZE, SIZE, SIZE)
def test_products_count_alike_however_they_are_written(
    batch: list[int], fewer: int, n: int, m: int, d: int
) -> None:
    """matmul in either broadcast, dot, inner, tensordot, vdot: 2 operations a term of a sum."""
    x, y = np.ones((n, d)), np.ones((d, m))
    wanted = 2 * n * d * m
    for product in (
        lambda x, y: x @ y,
        np.dot,
        lambda x, y: np.inner(x, y.T),
        lambda x, y: np.tensordot(x, y, axes=1),
        lambda x, y: np.tensordot(y, x, axes=([0], [1])),
    ):
        assert counted(product, x, y)["flops"] == wanted
    many, few = np.ones((*batch, n, d)), np.ones((*batch[min(fewer, len(batch)) :], d, m))
    assert counted(np.matmul, many, few)["flops"] == wanted * math.prod(batch)
    turned = counted(np.matmul, few.swapaxes(-1, -2), many.swapaxes(-1, -2))
    assert turned["flops"] == wanted * math.prod(batch)
    assert counted(np.vdot, x, x)["flops"] == 2 * n * d
    assert counted(lambda x: np.dot(2.0, x), x)["flops"] == 2 * n * d


def test_element_wise_work_is_its_largest_operand() -> None:
    """In place, with several outputs, reduced or with a mask: the entries that are gone over."""
    x, mask = np.arange(12.0).reshape(3, 4), np.eye(3, 4, dtype=bool)

    def in_place(x: np.ndarray) -> np.ndarray:
        out = np.empty_like(x)
        np.add(x, 1, out=out)
        return out

    for call in (
        in_place,
        lambda x: np.modf(x),
        lambda x: x.sum(axis=0),
        lambda x: np.add.reduce(x, where=mask),
        lambda x: np.float64(2) * x,
    ):
        assert counted(call, x) == {"flops": 0, "elementwise": 12, "calls": 1}


def test_plain_values_pass_through_a_count() -> None:
    """An argument that is no array is given as it is, and work without arrays is not counted."""
    assert counted(lambda x, n: x[:n], np.ones(4), 2) == {"flops": 0, "elementwise": 0, "calls": 0}


def test_a_result_that_left_the_counting_array_has_no_count() -> None:
    """A copy as a plain array may have been worked on unseen, so there is no reading."""
    answer, readings = count_flops(lambda x: np.array(x.tolist()) + 1, (np.ones(3),), Recorder())
    assert readings == {}
    assert type(answer) is np.ndarray


def test_an_array_without_a_counter_counts_nowhere() -> None:
    """What a submission makes of the class itself works, and is nobody's reading."""
    loose = np.ones((2, 3)).view(CountingArray)
    assert np.array_equal(loose @ loose.T, np.full((2, 2), 3.0))
    assert np.array_equal(np.dot(loose, loose.T), np.full((2, 2), 3.0))


# --- torch ---


def readings(call: Callable[[], Any]) -> dict[str, int]:
    meters = Meters(())
    with meters:
        call()
    return meters.readings(())


@given(st.integers(1, 3), st.integers(1, 4), st.integers(3, 6), st.integers(1, 3))
def test_a_convolution_counts_by_torchs_own_formula(b: int, c: int, n: int, k: int) -> None:
    """Products that are no matrix product count as well: 2 operations a term of a sum."""
    x, w = torch.ones(b, c, n), torch.ones(2, c, k)
    found = readings(lambda: torch.nn.functional.conv1d(x, w))
    assert found["flops"] == 2 * b * 2 * (n - k + 1) * c * k


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
def test_complex_products_take_six_operations(n: int, k: int, m: int) -> None:
    """A rotation written with complex numbers is no cheaper than with pairs of real ones."""
    x = torch.ones(n, k, dtype=torch.complex64)
    real = readings(lambda: x.real * 2.0)["elementwise"]
    assert readings(lambda: x * x)["elementwise"] == 6 * real == 6 * n * k


@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize(
    "product",
    [
        lambda a, b: a @ b,
        lambda a, b: torch.einsum("bij,bjk->bik", a, b),
        lambda a, b: a.new_zeros(2, 3, 5).baddbmm_(a, b),
        lambda a, b: torch.nn.functional.linear(a, b[0].T).add_(b.sum() * 0),
        lambda a, b: a.new_zeros(3, 5).addbmm_(a, b),
        lambda a, b: torch.stack(
            [x.new_zeros(3, 5).addmm_(x, y) for x, y in zip(a, b, strict=True)]
        ),
    ],
)
def test_a_product_costs_the_same_however_it_is_written(product: Any, inference: bool) -> None:
    """In place or not, in inference mode or not: twice its terms."""
    a, b = torch.ones(2, 3, 4), torch.ones(2, 4, 5)
    with Meters((a, b)) as meters, torch.inference_mode(inference):
        product(a, b)
    assert meters.flops == 2 * 2 * 3 * 4 * 5
