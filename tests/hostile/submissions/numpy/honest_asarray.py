"""Makes a plain array of its argument first, as many do, and converts once more at the end.

exercise: softmax
passes
"""

import numpy as np


def softmax(x, axis=-1):
    x = np.asarray(x)
    top = x.max(axis=axis, keepdims=True)
    exponentials = np.exp(x - np.where(np.isneginf(top), 0, top))
    total = exponentials.sum(axis=axis, keepdims=True)
    return np.array(exponentials / np.where(total == 0, 1, total), dtype=x.dtype)
