"""Never returns.

exercise: causal_mask
stage: correctness
says: was still running after 2 s and was stopped (line 1
"""


def causal_attention(q, k, v):
    while True:
        pass
