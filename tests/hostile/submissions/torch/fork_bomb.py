"""Forks for ever.

exercise: causal_mask
stage: correctness
says: PermissionError
"""

import os


def causal_attention(q, k, v):
    while True:
        os.fork()
