"""Returns an input.

exercise: causal_mask
stage: correctness
says: o
"""


def causal_attention(q, k, v):
    return q.clone()
