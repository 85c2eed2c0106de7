"""Never finishes loading.

exercise: causal_mask
stage: load
says: still running
"""

while True:
    pass


def causal_attention(q, k, v):
    return q
