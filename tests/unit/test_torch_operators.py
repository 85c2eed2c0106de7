"""Every operator of torch is counted: what depends on what is held against what the meters saw."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

from quizprep.worker.learner import torch_operators
from quizprep.worker.learner.torch_meters import Meters, tensors_in
from quizprep.worker.learner.torch_operators import Kind, operation

SMALL = 80
"""Elements of a sample: each is changed once."""
SAMPLES = 2


def overloads() -> Iterator[torch._ops.OpOverload]:
    """The operators of torch's registry."""
    for name in torch._C._dispatch_get_all_op_names():
        if name.startswith("aten::"):
            packet, _, overload = name.removeprefix("aten::").partition(".")
            found = getattr(getattr(torch.ops.aten, packet), overload or "default", None)
            if found is not None:
                yield found


def test_every_operator_is_classified() -> None:
    """A form of an operation (in place, with a result to write to, over lists) is counted as the
    operation is, and what nothing is known of is held against a bound."""
    packets = torch.ops.aten
    for one, other in (
        (packets.addmm.default, packets.addmm_.default),
        (packets.baddbmm.default, packets.baddbmm.out),
        (packets.addbmm.default, packets.addbmm_.default),
        (packets.mm.default, packets.mm.out),
        (packets.add.Tensor, packets._foreach_add.List),
        (packets.softplus.default, packets.softplus_backward.default),
    ):
        assert operation(one)[:2] == operation(other)[:2]
    kinds = {func: operation(func).kind for func in overloads()}
    assert set(kinds.values()) == set(Kind)
    for name in ("_linalg_svd", "linalg_inv_ex", "_linalg_det", "convolution"):
        assert all(
            kind in (Kind.BOUND, Kind.FORMULA)
            for func, kind in kinds.items()
            if func._overloadpacket.__name__ == name
        )


B, N, M, D = 2, 3, 4, 5


def random(*shape: int) -> torch.Tensor:
    return torch.rand(shape, dtype=torch.float64)


PRODUCTS: dict[str, tuple[Callable[[], Any], int]] = {
    "mm": (lambda: random(N, D) @ random(D, M), 2 * N * M * D),
    "mm, out": (
        lambda: torch.mm(random(N, D), random(D, M), out=random(N, M)),
        2 * N * M * D,
    ),
    "mv": (lambda: random(N, D) @ random(D), 2 * N * D),
    "dot": (lambda: torch.dot(random(D), random(D)), 2 * D),
    "vdot": (lambda: torch.vdot(random(D), random(D)), 2 * D),
    "addr": (lambda: torch.addr(random(N, M), random(N), random(M)), 2 * N * M),
    "addmm_": (lambda: random(N, M).addmm_(random(N, D), random(D, M)), 2 * N * M * D),
    "addmv": (lambda: torch.addmv(random(N), random(N, D), random(D)), 2 * N * D),
    "baddbmm_": (
        lambda: random(B, N, M).baddbmm_(random(B, N, D), random(B, D, M)),
        2 * B * N * M * D,
    ),
    "addbmm": (
        lambda: torch.addbmm(random(N, M), random(B, N, D), random(B, D, M)),
        2 * B * N * M * D,
    ),
    "addbmm_": (
        lambda: random(N, M).addbmm_(random(B, N, D), random(B, D, M), beta=2),
        2 * B * N * M * D,
    ),
    "_addmm_activation": (
        lambda: torch._addmm_activation(random(M), random(N, D), random(D, M)),
        2 * N * M * D,
    ),
    "linear": (
        lambda: torch.nn.functional.linear(random(B, N, D), random(M, D)),
        2 * B * N * M * D,
    ),
    "einsum": (
        lambda: torch.einsum("bnd,bmd->bnm", random(B, N, D), random(B, M, D)),
        2 * B * N * M * D,
    ),
    "multi_dot": (
        lambda: torch.linalg.multi_dot([random(N, D), random(D, M), random(M, 1)]),
        2 * D * M + 2 * N * D,
    ),
    "bilinear": (
        lambda: torch.nn.functional.bilinear(random(N, D), random(N, M), random(B, D, M)),
        3 * B * N * M * D,
    ),
    "cdist": (
        lambda: torch.cdist(
            random(N, D), random(M, D), compute_mode="donot_use_mm_for_euclid_dist"
        ),
        3 * N * M * D,
    ),
    "pdist": (lambda: torch.pdist(random(N, D)), 3 * (N * (N - 1) // 2) * D),
    "embedding_bag": (
        lambda: torch.nn.functional.embedding_bag(
            torch.zeros(B, M, dtype=torch.long), random(N, D), mode="sum"
        ),
        2 * B * M * D,
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_take_what_a_loop_would(name: str) -> None:
    """Two operations for each term of a sum of products, three for a difference or two factors."""
    call, wanted = PRODUCTS[name]
    call()
    with Meters(()) as seen:
        call()
    assert seen.flops + seen.elementwise == wanted
    assert not seen.bounded


@torch.library.custom_op("quizprep_test::scores", mutates_args=())
def scores(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    """An operator of a submission's own."""
    return (q @ k.T).softmax(-1)


def test_an_operator_of_ones_own_is_what_it_does_inside() -> None:
    q, k = random(N, D), random(M, D)
    with Meters(()) as inside:
        scores(q, k)
    with Meters(()) as plain:
        (q @ k.T).softmax(-1)
    assert inside.readings(()) == plain.readings(())
    assert not inside.bounded


def test_what_has_no_price_is_held_against_a_bound_and_named() -> None:
    """The bound is more than the operation takes: n^3 and more for a decomposition."""
    matrix = random(B, D, D)
    for call, at_least in (
        (lambda: torch.linalg.svd(matrix), 20 * B * D**3),
        (lambda: torch.linalg.matrix_exp(matrix), 8 * B * D**3),
        (lambda: torch.linalg.solve(matrix, random(B, D, M)), 2 * B * D * D * M),
    ):
        with Meters(()) as seen:
            call()
        assert seen.bounded
        assert seen.flops >= at_least


class Seen(Meters):
    """Notes which kinds of operations there were, and how many elements they read and wrote."""

    def __init__(self) -> None:
        super().__init__(())
        self.kinds: set[tuple[Kind, Any]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kind, _, _ = operation(func)
        self.kinds.add((kind, func._overloadpacket.__name__.removesuffix("_")))
        return super().__torch_dispatch__(func, types, args, kwargs)


def leaves(value: Any) -> list[torch.Tensor]:
    """The tensors whose elements can change by a little."""
    return [
        x
        for x in tensors_in(value)
        if x.layout == torch.strided and (x.is_floating_point() or x.is_complex())
    ]


def changed(before: list[torch.Tensor], after: list[torch.Tensor]) -> int:
    """The number of elements that differ."""
    return sum(
        int((~torch.isclose(x, y, rtol=1e-6, atol=1e-9, equal_nan=True)).sum())
        if x.shape == y.shape
        else max(x.numel(), y.numel())
        for x, y in zip(before, after, strict=False)
    )


def dependencies(call: Any, given: list[torch.Tensor]) -> int:
    """The pairs of an element of an operand and an element of a result that depends on it."""
    before = [x.clone() for x in leaves(call())]
    found = 0
    if changed(before, leaves(call())):
        return 0  # what was in memory before
    for tensor in given:
        flat = tensor.detach().reshape(-1)
        for place in range(flat.numel()):
            old = tensor.detach().clone()
            shift = torch.zeros(flat.numel(), dtype=tensor.dtype)
            shift[place] = 0.37
            with torch.no_grad():
                tensor += shift.reshape(tensor.shape)
                found += changed(before, leaves(call()))
                tensor.copy_(old)
    return found


def samples(info: Any) -> Iterator[Any]:
    """Small samples of an operator, whose operands can be changed one element at a time."""
    taken = 0
    for sample in info.sample_inputs("cpu", torch.float64, requires_grad=False):
        given = tensors_in([sample.input, sample.args, sample.kwargs])
        sizes = sum(x.numel() for x in given)
        if not 0 < sizes <= SMALL or any(x.layout != torch.strided for x in given):
            continue
        yield sample
        taken += 1
        if taken == SAMPLES:
            return


OPERATORS = [info for info in op_db if torch.float64 in info.dtypes]


@pytest.mark.parametrize("part", range(8))
def test_what_depends_on_what_is_counted(part: int) -> None:
    """A result that depends on k operands takes k operations at least, unless the operation is one
    that works in proportion to its size, which is listed."""
    torch.manual_seed(0)
    missed: list[str] = []
    for info in OPERATORS[part::8]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = list(samples(info))
            except Exception:
                continue
            for sample in found:
                missed += missing(info, sample)
    assert not missed, "\n".join(missed)


def missing(info: Any, sample: Any) -> list[str]:
    def call() -> Any:
        torch.manual_seed(0)
        return info.op(sample.input, *sample.args, **sample.kwargs)

    given = [x for x in leaves([sample.input, sample.args, sample.kwargs]) if x.is_floating_point()]
    try:
        with Seen() as seen:
            call()
        pairs = dependencies(call, given)
        results = sum(x.numel() for x in leaves(call()))
        moved = 2 * (results + sum(x.numel() for x in given))
    except (AssertionError, RuntimeError, TypeError, ValueError):
        return []
    linear = any(
        kind == Kind.ELEMENTWISE and name.removesuffix("_backward") in torch_operators._LINEAR
        for kind, name in seen.kinds
    )
    work = 2 * (seen.flops + seen.elementwise) + moved
    if linear or pairs <= work:
        return []
    names = sorted(f"{name} ({kind.name.lower()})" for kind, name in seen.kinds)
    return [f"{info.name}{info.variant_test_name}: {pairs} > {work}: {', '.join(names)}"]
