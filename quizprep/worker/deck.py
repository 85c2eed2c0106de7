"""Random inputs for metered calls, drawn once and dealt again from another place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


class Deck(np.random.Generator):
    """A generator whose normal values come from one long row that grows as it is used up.

    Drawing millions of normal values took longer than everything else at the size where memory
    is watched. What a call needs is that no earlier answer fits its inputs, and that no value
    returns within them: each call begins at a place of its own, and no call is dealt a value
    twice. They have the precision of float32, in which costs are measured.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(np.random.SFC64(seed))
        self._values = np.empty(0, dtype=np.float32)
        self._place = 0
        self._dealt = 0

    def cut(self, seed: Sequence[int]) -> None:
        """Begin the inputs of a call; everything else that is random follows from the seed."""
        self.bit_generator.state = np.random.SFC64(list(seed)).state
        self._place = int(self.integers(len(self._values) + 1))
        self._dealt = 0

    def standard_normal(self, size: Any = None, *_: Any, **__: Any) -> Any:
        """Normal values in this shape, float32."""
        sizes = () if size is None else size if isinstance(size, tuple) else (size,)
        count = math.prod(int(n) for n in sizes)
        if self._dealt + count > len(self._values):
            missing = self._dealt + count - len(self._values)
            more = super().standard_normal(missing, dtype=np.float32)
            # Behind what this call was dealt, so that nothing comes twice.
            rolled = np.roll(self._values, -self._place)
            self._values = np.concatenate([rolled, more])
            self._place = 0
        start = (self._place + self._dealt) % max(len(self._values), 1)
        end = start + count
        self._dealt += count
        over = max(end - len(self._values), 0)
        dealt = self._values[start : end - over]
        if over:
            dealt = np.concatenate([dealt, self._values[:over]])
        return float(dealt[0]) if size is None else dealt.reshape(size).copy()
