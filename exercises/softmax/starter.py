"""A stable softmax. The task: quizprep show softmax. Then: quizprep grade softmax."""

import numpy as np


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """exp(x) divided by its sum along an axis.

    x       (rows, cols), floating
    axis    the axis along which the result adds up to 1
    returns the shape and dtype of x; where x is only -inf along the axis, zeros
    """
    # TODO: survive x = 1000, and a line of only -inf.
    raise NotImplementedError("softmax is not written yet")
