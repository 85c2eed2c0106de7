"""Leaves with success in the middle of a call.

exercise: softmax
stage: correctness
says: SystemExit
"""


def softmax(x, axis=-1):
    raise SystemExit(0)
