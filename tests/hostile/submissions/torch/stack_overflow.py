"""Overflows the stack of C.

exercise: causal_mask
stage: correctness
says: SIGSEGV
"""

import sys


def causal_attention(q, k, v):
    sys.setrecursionlimit(10**9)
    return max([q], key=lambda _: causal_attention(q, k, v))
