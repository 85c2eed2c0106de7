"""Subtracts the maximum in place; the output is right.

exercise: softmax
stage: correctness
says: changed its input x
"""

import numpy as np


def softmax(x, axis=-1):
    top = x.max(axis=axis, keepdims=True)
    x -= np.where(np.isneginf(top), 0, top)
    e = np.exp(x)
    total = e.sum(axis=axis, keepdims=True)
    return e / np.where(total == 0, 1, total)
