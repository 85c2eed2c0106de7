"""Aborts, which C libraries do when something is wrong.

exercise: causal_mask
stage: correctness
says: crashed
"""

import ctypes


def causal_attention(q, k, v):
    ctypes.CDLL(None).abort()
