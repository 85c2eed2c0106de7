"""What each operation of torch costs, by its kind.

An operation is a view, moves values, multiplies and adds, or goes over its elements. torch says
itself what is element-wise or a reduction, by tags; its registry has formulas for many products.
Names are listed here only for what neither tells. What is in none of these lists is not taken for
cheap: it is held against an upper bound, and the report says so. A test runs every operator that
torch has samples of, and compares what is counted with what depends on what.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum
from itertools import zip_longest
from typing import Any, NamedTuple

import torch
from torch._ops import OpOverload, OpOverloadPacket

Result = Any
"""An argument or result of an operation or a call: tensors, numbers, and lists of these."""

Formula = Callable[..., int]
"""From the arguments of an operation, and its result as ``out_val``, to flops."""


class Kind(IntEnum):
    """How an operation is counted."""

    VIEW = 0
    """Not at all."""
    MOVES = 1
    """No arithmetic: it allocates, moves or reads values."""
    PLACES = 2
    """Moves as many values as its indices address: the rest of a cache stays where it is."""
    PRODUCT = 3
    """A sum of products over the last axis of one operand."""
    FORMULA = 4
    ELEMENTWISE = 5
    """So many operations for each element of its largest operand or result."""
    INSIDE = 6
    """By what it consists of: composed of others, or an operator that the submission defined."""
    BOUND = 7
    """By an upper bound."""


class Operation(NamedTuple):
    """An overload with how it is counted; ``detail`` depends on the kind."""

    kind: Kind
    detail: Any
    func: OpOverload
    """Retained, so that its id stays unique."""


_MOVES = frozenset(
    """
    empty empty_like empty_strided empty_permuted new_empty new_empty_strided zeros zeros_like
    new_zeros ones ones_like new_ones full full_like new_full fill fill_ zero_ scalar_tensor arange
    range linspace logspace eye copy copy_ clone _to_copy contiguous cat _chunk_cat stack _stack
    block_diag diag_embed rot90 index index_select _unsafe_index gather scatter scatter_ index_put
    index_put_ _index_put_impl_ _unsafe_index_put index_copy_ index_fill masked_scatter put take
    slice_scatter select_scatter diagonal_scatter as_strided_scatter slice_backward select_backward
    diagonal_backward unfold_backward masked_fill masked_fill_ where tril triu tril_ triu_
    tril_indices triu_indices lift lift_fresh lift_fresh_copy repeat repeat_interleave flip roll
    constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
    replication_pad2d replication_pad3d pixel_shuffle pixel_unshuffle channel_shuffle im2col
    set_ resize resize_ resize_as _local_scalar_dense item is_same_size equal nonzero
    nonzero_static masked_select embedding complex polar detach_copy unsafe_split
    unsafe_split_with_sizes bernoulli bernoulli_ rand randn randint randperm rand_like randn_like
    randint_like random normal normal_ uniform uniform_ exponential cauchy geometric log_normal
    poisson binomial multinomial
    """.split()
)

# Work in proportion to the size, although each result depends on many operands; torch has no tag
# for these.
_LINEAR = {
    "_softmax": 5,
    "_safe_softmax": 5,
    "_masked_softmax": 5,
    "_log_softmax": 5,
    "softmax": 5,
    "log_softmax": 5,
    "_softmax_backward_data": 4,
    "_log_softmax_backward_data": 4,
    "_masked_softmax_backward": 4,
    "logsumexp": 4,
    "logcumsumexp": 4,
    "_logcumsumexp": 4,
    "addr": 2,
    "native_layer_norm": 8,
    "native_layer_norm_backward": 16,
    "native_group_norm": 8,
    "native_group_norm_backward": 16,
    "native_batch_norm": 8,
    "native_batch_norm_backward": 16,
    "_native_batch_norm_legit": 8,
    "_native_batch_norm_legit_functional": 8,
    "_native_batch_norm_legit_no_training": 8,
    "_batch_norm_with_update": 8,
    "_batch_norm_no_update": 8,
    "batch_norm_backward": 16,
    **dict.fromkeys(
        """
        cumsum cumprod cummax cummin _aminmax trace dist renorm linalg_cross
        index_add index_reduce scatter_add scatter_reduce segment_reduce
        embedding_dense_backward embedding_renorm bincount histc
        isin searchsorted bucketize glu glu_backward native_dropout _fused_dropout
        binary_cross_entropy binary_cross_entropy_with_logits mse_loss smooth_l1_loss huber_loss
        soft_margin_loss nll_loss_forward nll_loss2d_forward log_sigmoid_forward hardswish
        multi_margin_loss multilabel_margin_loss_forward rrelu_with_noise
        _prelu_kernel _masked_scale floor_divide _foreach_powsum unfold_backward
        """.split(),
        2,
    ),
    # By comparisons, a logarithm of them for each element.
    **dict.fromkeys(
        """
        sort topk kthvalue median nanmedian mode _unique _unique2 unique_dim unique_consecutive
        unique_dim_consecutive
        """.split(),
        20,
    ),
}

# The operand whose last axis is summed over: 2 flops an output element and term.
_PRODUCTS = {
    "mm": 0,
    "bmm": 0,
    "mv": 0,
    "dot": 0,
    "vdot": 0,
    "linear": 0,
    "_int_mm": 0,
    "addmm": 1,
    "baddbmm": 1,
    "addmv": 1,
    "_addmm_activation": 1,
}


def _summed_products(
    _: Result, a: torch.Tensor, b: torch.Tensor, *__: Result, **___: Result
) -> int:
    """addbmm: a (batch, n, m) times b (batch, m, p), added up over the batch."""
    return 2 * int(a.numel()) * int(b.shape[-1])


def _distances(a: torch.Tensor, *_: Result, out_val: Result, **__: Result) -> int:
    """A difference, a power and a sum for each coordinate of each pair of points."""
    return 3 * int(out_val.numel()) * int(a.shape[-1])


def _distances_backward(grad: torch.Tensor, x: torch.Tensor, *_: Result, **__: Result) -> int:
    return 4 * int(grad.numel()) * int(x.shape[-1])


def _bags(weight: torch.Tensor, indices: torch.Tensor, *_: Result, **__: Result) -> int:
    """Rows of weight (rows, d), each weighted and added to a bag."""
    return 2 * int(indices.numel()) * int(weight.shape[-1])


def _three_factors(
    a: torch.Tensor,
    b: torch.Tensor,
    c: torch.Tensor,
    expand_a: Sequence[int],
    expand_b: Sequence[int],
    expand_c: Sequence[int],
    *_: Result,
    **__: Result,
) -> int:
    """_trilinear: two products and a sum for each combination of the indices of a, b and c."""
    shapes = []
    for tensor, added in ((a, expand_a), (b, expand_b), (c, expand_c)):
        shape = list(tensor.shape)
        for axis in sorted(added):
            shape.insert(axis, 1)
        shapes.append(shape)
    return 3 * math.prod(max(sizes) for sizes in zip(*shapes, strict=True))


def _fourier(
    a: torch.Tensor, axes: Sequence[int], *_: Result, out_val: Result, **__: Result
) -> int:
    """5 n log2 n for each line of n numbers along each axis."""
    larger = max(int(a.numel()), int(out_val.numel()))
    lines = [max(a.shape[axis], out_val.shape[axis]) for axis in axes]
    return sum(5 * larger * max(math.ceil(math.log2(max(n, 1))), 1) for n in lines)


def _substitution(matrix: torch.Tensor, right: torch.Tensor, *_: Result, **__: Result) -> int:
    """A triangular matrix (..., n, n): n^2 for each column of the right side."""
    return int(right.numel()) * int(matrix.shape[-1])


_FORMULAS: dict[str, Formula] = {
    "linalg_solve_triangular": _substitution,
    "addbmm": _summed_products,
    "_cdist_forward": _distances,
    "_euclidean_dist": _distances,
    "_pdist_forward": _distances,
    "_cdist_backward": _distances_backward,
    "_pdist_backward": _distances_backward,
    "_embedding_bag": _bags,
    "_embedding_bag_forward_only": _bags,
    "_trilinear": _three_factors,
    "_fft_r2c": _fourier,
    "_fft_c2r": _fourier,
    "_fft_c2c": _fourier,
}


def _registry() -> dict[OpOverloadPacket, Formula]:
    """torch's own registry of the costs of matrix products, without importing triton along with
    it."""
    masked = "triton" not in sys.modules
    if masked:
        sys.modules["triton"] = None  # type: ignore[assignment]
    try:
        from torch.utils.flop_counter import flop_registry
    finally:
        if masked:
            del sys.modules["triton"]
    return dict(flop_registry)


_REGISTRY = _registry()

COMPOSED = torch._C.DispatchKey.CompositeImplicitAutograd
"""Under this key the dispatcher has operations that are composed of others."""
_KERNELS = (torch._C.DispatchKey.CPU, torch._C.DispatchKey.CompositeExplicitAutograd, COMPOSED)

_operations: dict[int, Operation] = {}
"""By id, because hashing an overload runs Python code."""


def operation(func: OpOverload) -> Operation:
    """How an operation is counted; each overload is classified once."""
    return _operations.get(id(func)) or _classified(func)


def _classified(func: OpOverload) -> Operation:
    found = _operations[id(func)] = Operation(*_kind(func), func)
    return found


def _kind(func: OpOverload) -> tuple[Kind, Any]:
    name = func._overloadpacket.__name__
    # addmm_ multiplies as addmm does, and _foreach_add adds as add does.
    plain = name if name.endswith("__") else name.removesuffix("_")
    plain = plain.removeprefix("_foreach_") if plain != "_foreach_mm" else plain
    if func.namespace != "aten":
        key = next((k for k in _KERNELS if _has_kernel(func, k)), None)
        return (Kind.INSIDE, key) if key is not None else (Kind.BOUND, name)
    if func.is_view or name in ("detach", "lift_fresh", "_unsafe_view", "_reshape_alias"):
        return Kind.VIEW, None
    if plain in _PRODUCTS:
        return Kind.PRODUCT, _PRODUCTS[plain]
    formula = _FORMULAS.get(plain) or _REGISTRY.get(func._overloadpacket)
    if formula is not None:
        return Kind.FORMULA, formula
    if _has_kernel(func, COMPOSED):
        return Kind.INSIDE, COMPOSED
    if name in ("index_put_", "index_copy_"):
        return Kind.PLACES, name
    if not _MOVES.isdisjoint((name, plain)) or torch.Tag.view_copy in func.tags:
        return Kind.MOVES, None
    if torch.Tag.inplace_view in func.tags:
        return Kind.VIEW, None
    if plain in _LINEAR:
        return Kind.ELEMENTWISE, _LINEAR[plain]
    if _by_element(func._overloadpacket, plain):
        return Kind.ELEMENTWISE, 1
    tensors = any("Tensor" in str(argument.type) for argument in func._schema.arguments)
    return (Kind.BOUND, name) if tensors else (Kind.MOVES, None)


def _has_kernel(func: OpOverload, key: torch._C.DispatchKey) -> bool:
    return bool(torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), key))


def _by_element(packet: OpOverloadPacket, plain: str) -> bool:
    """Whether torch tags the operation, or the one that it is a form or the derivative of, as
    element-wise or as a reduction."""
    forward = plain.removesuffix("_backward")
    packets = [packet, *(getattr(torch.ops.aten, n, None) for n in (plain, forward))]
    return forward in _LINEAR or any(
        torch.Tag.pointwise in overload.tags or torch.Tag.reduction in overload.tags
        for found in packets
        if found is not None
        for overload in (getattr(found, name) for name in found.overloads())
    )


ITERATIONS = 32
"""An eigenvalue takes up to some 25 n^3; nothing here takes more of what one operand bounds."""


def bound(given: Sequence[torch.Tensor], produced: int) -> int:
    """More than an operation on these operands can take, in flops, if it is a sum over common
    axes, or a decomposition of matrices (..., n, m). ``produced`` is the number of
    elements of its result."""
    largest = sorted((int(tensor.numel()) for tensor in given), reverse=True)[:2]
    product = 2 * math.isqrt(math.prod(largest) * max(produced, 1)) if len(largest) == 2 else 0
    matrices = (x.numel() * max(x.shape[-2:], default=1) for x in given)
    return max(product, ITERATIONS * max(matrices, default=0), produced)


def placed(name: str, args: Sequence[Result]) -> int:
    """The number of values that a write through indices changes: the rest of a cache that is
    updated this way does not move."""
    if name == "index_copy_":
        return int(args[3].numel())
    whole, indices = args[:2]
    given = [index for index in indices if index is not None]
    if any(index.dtype in (torch.bool, torch.uint8) for index in given):
        return int(whole.numel())
    rest = math.prod(
        size
        for axis, size in enumerate(whole.shape)
        if axis >= len(indices) or indices[axis] is None
    )
    # torch.broadcast_shapes would import sympy: 35 MB that would count as the submission's.
    aligned = zip_longest(*(reversed(index.shape) for index in given), fillvalue=1)
    # An axis of size 0 stays 0 against one of size 1.
    return rest * math.prod(0 if 0 in sizes else max(sizes) for sizes in aligned)
