"""Keeps numpy scalars; the sum of a filtered block."""

import numpy as np


def online_softmax(blocks):
    m = np.float32(-np.inf)
    s = np.float32(0)
    for x in blocks:
        x = x[x > -np.inf].astype(np.float32)
        if x.size == 0:
            continue
        new = np.maximum(m, x.max())
        s = s * np.exp(m - new) + np.sum(np.exp(x - new))
        m = new
    return m, s


def merge(a, b):
    with np.errstate(invalid="ignore"):
        m = np.maximum(a[0], b[0])
        parts = [s * np.exp(t - m) for t, s in (a, b) if t != -np.inf]
    return m, np.float64(sum(parts))
