"""Calls a library's softmax, if there is one.

exercise: softmax
stage: load
says: ModuleNotFoundError
"""

from scipy.special_that_is_missing import softmax as scipy_softmax


def softmax(x, axis=-1):
    return scipy_softmax(x, axis=axis)
