"""Leaves with success in the middle of a call.

exercise: causal_mask
stage: correctness
says: SystemExit
"""

import sys


def causal_attention(q, k, v):
    sys.exit(0)
