# slip: line 11
import math

import numpy as np


def online_softmax(blocks):
    blocks = list(blocks)
    if not blocks:
        return -math.inf, 0.0
    x = np.concatenate(blocks).astype(np.float64)
    top = float(x.max())
    if top == -math.inf:
        return top, 0.0
    return top, float(np.exp(x - top).sum())


def merge(a, b):
    m = max(a[0], b[0])
    if math.isinf(m):
        return m, 0.0
    return m, sum(s * math.exp(t - m) for t, s in (a, b))
