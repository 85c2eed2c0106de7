"""What goes wrong in a softmax in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from quizprep.exercise import Mistake

MISTAKES = {
    "no_rescale": Mistake(
        "The maximum moves on and the sum stays as it was. Its terms are relative to the old "
        "maximum: multiply it by exp(old - new) before you add anything.",
        concept="online-softmax",
    ),
    "rescale_wrong_way": Mistake(
        "You rescale with exp(new - old). The new maximum is the larger one, so what was summed "
        "before has to shrink: exp(old - new).",
        concept="online-softmax",
    ),
    "keeps_first_max": Mistake(
        "You keep the maximum of what came first for everything. The sum is then not relative to "
        "the maximum that you return, and it overflows when large numbers come later.",
        concept="online-softmax",
    ),
    "starts_max_at_zero": Mistake(
        "Your maximum starts at 0, so it is 0 where every number is negative; far below 0 all "
        "exponentials underflow. Nothing has the maximum -inf.",
        concept="softmax-stability",
    ),
    "no_max_subtraction": Mistake(
        "You sum exp(x) as it is. In float32 it overflows above 88. Sum exp(x - max), with the "
        "maximum so far.",
        concept="softmax-stability",
    ),
    "nan_on_nothing": Mistake(
        "-inf minus -inf is NaN: it comes up when only -inf has been seen, or when nothing is "
        "merged with nothing. Put a finite number in place of a maximum of -inf.",
        concept="fully-masked-row",
    ),
    "sums_the_sums": Mistake(
        "merge adds the two sums as they are. Each is relative to a maximum of its own: bring "
        "both to the common one first.",
        concept="log-sum-exp",
    ),
    "returns_log_sum": Mistake(
        "You return the logarithm of the sum. Asked for is the sum of exp(x - max) itself.",
        concept="log-sum-exp",
    ),
    "collects_blocks": Mistake(
        "The answer is right, but you put all blocks together before you begin. One pass needs "
        "one block at a time, and of the past only two numbers.",
        concept="online-softmax",
        cost={"one_pass.peak_bytes": "~blocks*size"},
    ),
}


def build(mistakes: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Both functions with these mistakes."""

    def finite(top: float) -> float:
        return 0.0 if top == -np.inf and "nan_on_nothing" not in mistakes else top

    def of_block(x: np.ndarray) -> tuple[float, float]:
        top = float(x.max())
        if "starts_max_at_zero" in mistakes:
            top = max(top, 0.0)
        base = 0.0 if "no_max_subtraction" in mistakes else finite(top)
        return top, float(np.exp(x - x.dtype.type(base)).sum())

    def brought(total: float, own: float, top: float) -> float:
        """A sum relative to `own`, brought to `top`."""
        if "no_rescale" in mistakes or "no_max_subtraction" in mistakes:
            return total
        if "rescale_wrong_way" in mistakes:
            return total * float(np.exp(finite(top) - finite(own))) if total else 0.0
        return total * float(np.exp(own - finite(top)))

    def combine(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
        top = max(a[0], b[0])
        if "keeps_first_max" in mistakes and a[0] > -np.inf:
            # The second sum is brought to the first maximum, whichever is larger.
            return top, a[1] + (b[1] * float(np.exp(b[0] - a[0])) if b[1] else 0.0)
        return top, brought(a[1], a[0], top) + brought(b[1], b[0], top)

    def online_softmax(blocks: Iterable[np.ndarray]) -> tuple[float, float]:
        with np.errstate(all="ignore"):
            found = (0.0 if "starts_max_at_zero" in mistakes else -np.inf, 0.0)
            if "collects_blocks" in mistakes:
                parts = list(blocks)
                blocks = [np.concatenate(parts)] if parts else []
            for x in blocks:
                found = combine(found, of_block(x))
            return _told(found)

    def merge(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
        with np.errstate(all="ignore"):
            if "returns_log_sum" in mistakes:
                a, b = (a[0], float(np.exp(a[1]))), (b[0], float(np.exp(b[1])))
            if "sums_the_sums" in mistakes:
                return _told((max(a[0], b[0]), a[1] + b[1]))
            return _told(combine(a, b))

    def _told(partial: tuple[float, float]) -> tuple[float, float]:
        top, total = partial
        return (top, float(np.log(total))) if "returns_log_sum" in mistakes else partial

    return {"online_softmax": online_softmax, "merge": merge}
