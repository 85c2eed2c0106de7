# slip: line 11
import numpy as np


def online_softmax(blocks):
    max_so_far = -np.inf
    sum_so_far = np.float64(0.0)
    for values in blocks:
        values = np.asarray(values, dtype=float)
        block_max = np.max(values)
        if max_so_far == -np.inf:
            max_so_far = block_max
        if max_so_far > -np.inf:
            sum_so_far = sum_so_far + np.sum(np.exp(values - max_so_far))
    return float(max_so_far), float(sum_so_far)


def merge(a, b):
    maxima = np.array([a[0], b[0]])
    sums = np.array([a[1], b[1]])
    top = maxima.max()
    shift = np.where(np.isneginf(top), 0.0, top)
    return float(top), float(np.dot(sums, np.exp(maxima - shift)))
