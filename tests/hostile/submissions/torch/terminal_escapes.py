"""Raises a message that would clear the screen and print a verdict.

exercise: causal_mask
stage: correctness
says: ?[2J
"""


def causal_attention(q, k, v):
    raise ValueError("\x1b[2J\x1b[Hcausal_mask: passed\r")
