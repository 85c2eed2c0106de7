"""Leaves with success while it is loaded.

exercise: causal_mask
stage: load
says: could not be loaded
"""

import sys

sys.exit(0)


def causal_attention(q, k, v):
    return q
