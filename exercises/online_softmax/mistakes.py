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
        variants=("both_sums", "old_sum"),
    ),
    "rescale_wrong_way": Mistake(
        "You rescale with exp(new - old). The new maximum is the larger one, so what was summed "
        "before has to shrink: exp(old - new).",
        concept="online-softmax",
        variants=("both_sums", "old_sum"),
    ),
    "keeps_first_max": Mistake(
        "You keep the maximum of what came first for everything. The sum is then not relative to "
        "the maximum of all, and it overflows when large numbers come later.",
        concept="online-softmax",
        variants=("in_the_sum", "returned"),
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
        variants=("left_out", "divided_out_at_the_end"),
    ),
    "nan_on_nothing": Mistake(
        "-inf minus -inf is NaN: it comes up when only -inf has been seen, or when nothing is "
        "merged with nothing. Put a finite number in place of a maximum of -inf.",
        concept="fully-masked-row",
        variants=("anywhere", "in_old_sum"),
    ),
    "sums_the_sums": Mistake(
        "merge adds the two sums as they are. Each is relative to a maximum of its own: bring "
        "both to the common one first.",
        concept="log-sum-exp",
    ),
    "returns_log_sum": Mistake(
        "You return the logarithm of the sum. Asked for is the sum of exp(x - max) itself.",
        concept="log-sum-exp",
        variants=("log_of_nothing", "zero_for_nothing"),
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
    ids = {switch.partition(":")[0] for switch in mistakes}
    undefined = "nan_on_nothing:anywhere" in mistakes

    def finite(top: float) -> float:
        return 0.0 if top == -np.inf and not undefined else top

    def of_block(x: np.ndarray, top: float) -> float:
        """The sum of a block, relative to ``top``."""
        base = 0.0 if "no_max_subtraction" in ids else finite(top)
        return float(np.exp(x - x.dtype.type(base)).sum())

    def brought(total: float, own: float, top: float, old: bool) -> float:
        """A sum relative to `own`, brought to `top`; ``old`` if it was there first."""
        if "no_rescale:both_sums" in mistakes or "no_max_subtraction" in ids:
            return total
        if old and "no_rescale:old_sum" in mistakes:
            return total
        if "rescale_wrong_way:both_sums" in mistakes or (
            old and "rescale_wrong_way:old_sum" in mistakes
        ):
            return total * float(np.exp(finite(top) - finite(own))) if total else 0.0
        base = top if old and "nan_on_nothing:in_old_sum" in mistakes else finite(top)
        return total * float(np.exp(own - base))

    def combine(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
        top = max(a[0], b[0])
        if "keeps_first_max" in ids and a[0] > -np.inf:
            # The second sum is brought to the first maximum, whichever is larger.
            total = a[1] + (b[1] * float(np.exp(b[0] - a[0])) if b[1] else 0.0)
            return (a[0] if "keeps_first_max:returned" in mistakes else top), total
        return top, brought(a[1], a[0], top, True) + brought(b[1], b[0], top, False)

    def online_softmax(blocks: Iterable[np.ndarray]) -> tuple[float, float]:
        with np.errstate(all="ignore"):
            found = (0.0 if "starts_max_at_zero" in ids else -np.inf, 0.0)
            if "collects_blocks" in ids:
                parts = list(blocks)
                blocks = [np.concatenate(parts)] if parts else []
            for x in blocks:
                own = float(x.max())
                if "starts_max_at_zero" in ids:
                    own = max(own, 0.0)
                found = combine(found, (own, of_block(x, own)))
            if "no_max_subtraction:divided_out_at_the_end" in mistakes and found[1]:
                found = found[0], found[1] * float(np.exp(-found[0]))
            return _told(found)

    def merge(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
        with np.errstate(all="ignore"):
            if "returns_log_sum" in ids:
                a, b = (a[0], float(np.exp(a[1]))), (b[0], float(np.exp(b[1])))
            if "sums_the_sums" in ids:
                return _told((max(a[0], b[0]), a[1] + b[1]))
            if "no_max_subtraction:divided_out_at_the_end" in mistakes:
                total = sum(part[1] * float(np.exp(part[0])) for part in (a, b))
                top = max(a[0], b[0])
                return top, total * float(np.exp(-top)) if total else 0.0
            return _told(combine(a, b))

    def _told(partial: tuple[float, float]) -> tuple[float, float]:
        top, total = partial
        if "returns_log_sum:zero_for_nothing" in mistakes and not total:
            return top, 0.0
        return (top, float(np.log(total))) if "returns_log_sum" in ids else partial

    return {"online_softmax": online_softmax, "merge": merge}
