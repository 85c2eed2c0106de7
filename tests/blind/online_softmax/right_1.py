import math

import numpy as np


def online_softmax(blocks):
    top = -math.inf
    total = 0.0
    for block in blocks:
        x = block.astype(np.float64)
        new = max(top, float(x.max()))
        if new == -math.inf:
            continue
        total = total * math.exp(top - new) + float(np.exp(x - new).sum())
        top = new
    return top, total


def merge(a, b):
    top = max(a[0], b[0])
    if top == -math.inf:
        return -math.inf, 0.0
    return top, a[1] * math.exp(a[0] - top) + b[1] * math.exp(b[0] - top)
