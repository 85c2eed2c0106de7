"""Returns an object that calls itself a tensor.

exercise: causal_mask
stage: correctness
says: returned a Liar
"""

import torch


class Liar:
    __class__ = torch.Tensor
    shape = (1, 1, 1, 1)
    dtype = torch.float32


def causal_attention(q, k, v):
    return Liar()
