"""A reference run with every operation rounded at random: what an honest order of sums can lose.

Moving the inputs does not show it all. Where a result is what is left of numbers that cancel, such
as the gradient of a softmax over a single key, the definition may give exactly 0 whatever its
inputs are, while code that takes the same sums in another order gives what rounding leaves. So
each result of an operation is moved by a unit in the last place of what was added up, up or down
(after Parker, Monte Carlo arithmetic, 1997).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from quizprep.worker.backends import Array, Function

_SUMS = ("mm", "bmm", "sum", "mean")
"""What they lose is a part of the sum of absolute values, which may be far above the sum."""

_EXPONENTIALS = ("exp", "_softmax", "_log_softmax")
"""A score of 300 is off by a unit in its last place, and so, relatively, is its weight:
exp(score - logsumexp) is as right as a softmax that subtracts the maximum."""

HIGHEST = 1e4
"""What is higher is no score, but a finite number in the place of -inf."""

_OTHERS = ("mul", "div", "add", "sub")


class _Rounded(TorchDispatchMode):
    """Moves the result of each arithmetic operation."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self._rng = rng

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: the wrapper it would add imports torch._dynamo, a second and 900 modules."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Array] = (),
        kwargs: Mapping[str, Array] | None = None,
    ) -> Array:
        options = kwargs or {}
        result = func(*args, **options)
        name = func.overloadpacket.__name__
        if not isinstance(result, torch.Tensor) or not result.dtype.is_floating_point:
            return result
        if name in _SUMS:
            size = func(*(a.abs() if isinstance(a, torch.Tensor) else a for a in args), **options)
        elif name in _EXPONENTIALS:
            size = result.abs() * args[0].abs().clamp(1, HIGHEST)
        elif name == "_softmax_backward_data":
            size = _terms(*args[:3])
        elif name in _OTHERS:
            size = result.abs()
        else:
            return result
        sign = torch.as_tensor(self._rng.integers(0, 2, tuple(result.shape)) * 2 - 1)
        off = sign * torch.finfo(result.dtype).eps * size.double()
        # Infinities and what is not a number stay as they are.
        return result + torch.nan_to_num(off, 0.0, 0.0, 0.0).to(result.dtype)


def _terms(grad: torch.Tensor, weights: torch.Tensor, axis: int) -> torch.Tensor:
    """Of the gradient p*(dp - sum(p*dp)) of a softmax, the sum of what is subtracted."""
    products = (grad * weights).abs()
    return products + weights * products.sum(axis, keepdim=True)


def rounded(solve: Function, rng: np.random.Generator) -> Function:
    """The same function with rounding of its own, different each time."""

    def call(*args: Array) -> Array:
        with _Rounded(rng):
            return solve(*args)

    return call
