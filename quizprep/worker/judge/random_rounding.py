"""A reference run with random rounding: how much an honest order of sums can lose.

Moving the inputs does not show everything. Where numbers cancel, as in the gradient of a softmax
over a single key, the definition may give exactly 0 for any inputs, while code that takes the same
sums in another order leaves a rounding error. So the result of each operation is moved up or down
at random by a unit in the last place, for a sum that of the sum of absolute values (Monte Carlo
arithmetic, Parker 1997).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from quizprep.worker.backends import Array, Function
from quizprep.worker.learner.torch_meters import DispatchMode

_SUMS = ("mm", "bmm", "sum", "mean")
"""Their error is relative to the sum of absolute values, which may far exceed the sum."""

_EXPONENTIALS = ("exp", "_softmax", "_log_softmax")
"""A score of 300 has an error of a unit in its last place, which becomes the relative error of its
weight: exp(score - logsumexp) is as right as a softmax that subtracts the maximum."""

HIGHEST = 1e4
"""Larger magnitudes are mask fill values (finite stand-ins for -inf), not scores."""

_OTHERS = ("mul", "div", "add", "sub")


class _Rounded(DispatchMode):
    """Rounds the result of each arithmetic operation at random."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self._rng = rng

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
        # Infinities and NaN stay as they are.
        return result + torch.nan_to_num(off, 0.0, 0.0, 0.0).to(result.dtype)


def _terms(grad: torch.Tensor, weights: torch.Tensor, axis: int) -> torch.Tensor:
    """For the gradient p*(dp - sum(p*dp)) of a softmax, the sum of the absolute values of its
    terms."""
    products = (grad * weights).abs()
    return products + weights * products.sum(axis, keepdim=True)


def rounded(solve: Function, rng: np.random.Generator) -> Function:
    """The same function under random rounding, different at each call."""

    def call(*args: Array) -> Array:
        with _Rounded(rng):
            return solve(*args)

    return call
