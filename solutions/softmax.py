"""A softmax that survives any magnitude and any mask."""

import numpy as np


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """exp(x) divided by its sum along an axis.

    x       (rows, cols), floating
    axis    the axis along which the result adds up to 1
    returns the shape and dtype of x; where x is only -inf along the axis, zeros

    Cost: a comparison, a subtraction, an exponential, an addition and a division an element,
    5*rows*cols; beyond the result one array of its size is live, 4*rows*cols bytes in float32.
    """
    # exp(x - c) / sum exp(x - c) does not depend on c. With the maximum of the line as c, every
    # exponent is at most 0 and one of them is 0: nothing overflows, and the sum is at least 1.
    top = x.max(axis=axis, keepdims=True)

    # A line of only -inf has the maximum -inf, and -inf - -inf is NaN. With 0 in its place the
    # exponentials are all 0, as they should be.
    top = np.where(np.isneginf(top), 0, top)
    exponentials = np.exp(x - top)

    # Only such a line has the sum 0; dividing by 1 instead leaves its zeros alone.
    total = exponentials.sum(axis=axis, keepdims=True)
    return exponentials / np.where(total == 0, 1, total)
