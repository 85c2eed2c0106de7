# slip: line 6
import numpy as np


def online_softmax(blocks):
    rows = [np.asarray(block, dtype=np.float64) for block in blocks]
    top = max((float(r.max()) for r in rows), default=-np.inf)
    if np.isneginf(top):
        return -np.inf, 0.0
    total = 0.0
    for r in rows:
        total += float(np.exp(r - top).sum())
    return top, total


def merge(a, b):
    if a[0] < b[0]:
        a, b = b, a
    if np.isneginf(b[0]):
        return a
    return a[0], float(a[1] + b[1] * np.exp(b[0] - a[0]))
