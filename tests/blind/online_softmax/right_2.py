from collections.abc import Iterable
from functools import reduce

import numpy as np

Partial = tuple[float, float]

EMPTY: Partial = (float("-inf"), 0.0)


def _one_block(x: np.ndarray) -> Partial:
    m = float(np.max(x))
    if np.isneginf(m):
        return EMPTY
    return m, float(np.exp(x.astype(np.promote_types(x.dtype, np.float32)) - m).sum(dtype=np.float64))


def online_softmax(blocks: Iterable[np.ndarray]) -> Partial:
    """Each block by itself, then merged from left to right."""
    return reduce(merge, map(_one_block, blocks), EMPTY)


def merge(a: Partial, b: Partial) -> Partial:
    (ma, sa), (mb, sb) = a, b
    if sa == 0.0:
        return float(mb), float(sb)
    if sb == 0.0:
        return float(ma), float(sa)
    if ma >= mb:
        return float(ma), float(sa + sb * np.exp(mb - ma))
    return float(mb), float(sb + sa * np.exp(ma - mb))
