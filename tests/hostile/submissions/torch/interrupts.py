"""Raises what ends programs.

exercise: causal_mask
stage: correctness
says: KeyboardInterrupt
"""


def causal_attention(q, k, v):
    raise KeyboardInterrupt
