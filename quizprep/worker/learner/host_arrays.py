"""numpy in a submission that is written in torch: counted beside torch's own operations.

A tensor that is handed to numpy while a call is metered becomes a counting array over the same
memory. Its work and the arrays that come of it go into the meters of that call, or of the calls of
that script. A way around it (a buffer, a list) is left to the witnesses outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from quizprep.worker.learner.lines import Recorder
from quizprep.worker.learner.numpy_meters import (
    CountingArray,
    Value,
    counting,
    keep_counting,
)

_to_numpy = torch.Tensor.numpy
_to_array = torch.Tensor.__array__


class HostArrays:
    """How this process hands tensors to numpy, from now on."""

    def __init__(self) -> None:
        self._work: Recorder | None = None

        def numpy(tensor: torch.Tensor, *, force: bool = False) -> np.ndarray:
            return self._counted(_to_numpy(tensor, force=force))

        def array(tensor: torch.Tensor, *args: Value, **kwargs: Value) -> np.ndarray:
            return self._counted(_to_array(tensor, *args, **kwargs))

        torch.Tensor.numpy = numpy
        torch.Tensor.__array__ = array
        keep_counting(self._read)

    @contextmanager
    def counted(self, work: Recorder) -> Iterator[None]:
        """Tensors that are handed to numpy meanwhile are counted there."""
        self._work = work
        try:
            yield
        finally:
            self._work = None

    def _counted(self, array: np.ndarray) -> np.ndarray:
        if self._work is None or isinstance(array, CountingArray):
            return array
        return counting(array, self._work)

    def _read(self, value: Value) -> Value:
        """Constructors of numpy make a plain array of a tensor; a counting one is given instead."""
        if self._work is None or not isinstance(value, torch.Tensor):
            return value
        return value.numpy()
