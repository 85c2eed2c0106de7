"""Takes memory for ever, without torch.

exercise: causal_mask
stage: correctness
says: MemoryError
"""


def causal_attention(q, k, v):
    kept = []
    while True:
        kept.append(bytearray(1 << 31))
