"""Prints for ever.

exercise: causal_mask
stage: correctness
says: printed more than 4 MiB
"""


def causal_attention(q, k, v):
    while True:
        print("passed " * 1000)
