"""Random inputs for metered calls, drawn once and dealt again from another place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

PLACES = 1 << 16
"""Where in the row a call may begin: so many that no two calls of a grading do at the same one."""


class Deck(np.random.Generator):
    """A generator whose normal values come from one long row that is drawn as far as it is used.

    Drawing millions of normal values took longer than everything else at the size where memory
    is watched. What a call needs is that no earlier answer fits its inputs, and that no value
    returns within them: each call begins at a place of its own, and is dealt what follows. The
    seeds alone decide what that is, and not which calls were dealt before. Values have the
    precision of float32, in which costs are measured.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(np.random.SFC64(seed))
        self._row = np.random.Generator(np.random.SFC64([seed, 1]))
        self._values = np.empty(0, dtype=np.float32)
        self._place = 0

    def cut(self, seed: Sequence[int]) -> None:
        """Begin the inputs of a call; everything else that is random follows from the seed."""
        self.bit_generator.state = np.random.SFC64(list(seed)).state
        self._place = int(self.integers(PLACES))

    def standard_normal(self, size: Any = None, *_: Any, **__: Any) -> Any:
        """Normal values in this shape, float32."""
        sizes = () if size is None else size if isinstance(size, tuple) else (size,)
        start, end = self._place, self._place + math.prod(int(n) for n in sizes)
        if end > len(self._values):
            more = self._row.standard_normal(end - len(self._values), dtype=np.float32)
            self._values = np.concatenate([self._values, more])
        self._place = end
        dealt = self._values[start:end]
        return float(dealt[0]) if size is None else dealt.reshape(size).copy()
