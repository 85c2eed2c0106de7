"""Maximum and normaliser of a softmax in one pass."""

import math
from collections.abc import Iterable

import numpy as np

Partial = tuple[float, float]


def online_softmax(blocks: Iterable[np.ndarray]) -> Partial:
    """Maximum and sum of exponentials, one block at a time.

    blocks  1-D arrays of at least one number each, floating; perhaps none
    returns (max, sum of exp(x - max)) over the numbers of all blocks; (-inf, 0.0) of nothing
            or of only -inf

    Cost: each number is read once; the differences of one block and their exponentials are
    live, 8*size bytes in float32, however many blocks there are.
    """
    # The result over nothing is the neutral element of merge, so no block is special.
    found = (-math.inf, 0.0)
    for x in blocks:
        top = x.max()
        # A block of only -inf has no finite maximum to subtract; with 0 its terms are zeros.
        base = top if top > -math.inf else x.dtype.type(0)
        found = merge(found, (float(top), float(np.exp(x - base).sum())))
    return found


def merge(a: Partial, b: Partial) -> Partial:
    """The result over the numbers of two disjoint parts, from the results of the parts.

    a, b    (max, sum of exp(x - max)) of each part; (-inf, 0.0) for a part with nothing in it
    returns the same of both; which part comes first makes no difference
    """
    top = max(a[0], b[0])
    if top == -math.inf:
        return top, 0.0
    # Each sum is relative to its own maximum. exp(own - top) is at most 1, so nothing overflows;
    # for the part that has the maximum it is 1, for a part with nothing in it 0.
    return top, a[1] * math.exp(a[0] - top) + b[1] * math.exp(b[0] - top)
