"""Takes memory for ever.

exercise: causal_mask
stage: correctness
says: allocate
"""

import torch


def causal_attention(q, k, v):
    kept = []
    while True:
        kept.append(torch.empty(1 << 28))
