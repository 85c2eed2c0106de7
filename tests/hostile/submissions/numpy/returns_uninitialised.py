"""Returns a buffer that nobody wrote.

exercise: softmax
stage: correctness
says: y
"""

import numpy as np


def softmax(x, axis=-1):
    return np.empty_like(x)
