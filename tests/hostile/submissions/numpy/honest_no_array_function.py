"""The same machinery, honest: leaves numpy's counting for one step.

exercise: softmax
passes
"""

import numpy as np


def right(x, axis=-1):
    top = x.max(axis=axis, keepdims=True)
    e = np.exp(x - np.where(np.isneginf(top), 0, top))
    total = e.sum(axis=axis, keepdims=True)
    return e / np.where(total == 0, 1, total)


def softmax(x, axis=-1):
    return right(np.asarray(x), axis)
