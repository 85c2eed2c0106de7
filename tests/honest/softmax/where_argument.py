"""Uses where= and out= of the ufuncs."""

import functools

import numpy as np


@functools.cache
def largest(kind):
    return np.finfo(kind).max


def softmax(x, axis=-1):
    low = -largest(x.dtype)
    top = np.maximum(x.max(axis=axis, keepdims=True), low)
    e = np.exp(np.subtract(x, top))
    total = np.sum(e, axis=axis, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total != 0)
