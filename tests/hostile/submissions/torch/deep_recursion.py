"""Calls itself for ever.

exercise: causal_mask
stage: correctness
says: RecursionError
"""


def causal_attention(q, k, v):
    return causal_attention(q, k, v)
