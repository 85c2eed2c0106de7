"""Reads address 0.

exercise: causal_mask
stage: correctness
says: SIGSEGV
"""

import ctypes


def causal_attention(q, k, v):
    return ctypes.string_at(0)
