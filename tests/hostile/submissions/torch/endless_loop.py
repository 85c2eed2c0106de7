"""Never returns.

exercise: causal_mask
stage: correctness
says: still running
"""


def causal_attention(q, k, v):
    while True:
        pass
