"""Raises an exception whose text raises, with a name that is not text.

exercise: causal_mask
stage: correctness
says: raised
"""


class Strange(Exception):
    def __str__(self):
        raise Strange


Strange.__name__ = "x" * 1000


def causal_attention(q, k, v):
    raise Strange
