"""Reads address 0.

exercise: causal_mask
stage: correctness
says: SIGSEGV (line 12, in causal_attention)
"""

import ctypes


def causal_attention(q, k, v):
    return ctypes.string_at(0)
