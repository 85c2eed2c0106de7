"""Returns its input.

exercise: softmax
stage: correctness
says: y
"""


def softmax(x, axis=-1):
    return x.copy()
