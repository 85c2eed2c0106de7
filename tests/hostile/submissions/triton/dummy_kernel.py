"""Computes in torch and launches a kernel that does nothing.

exercise: triton_softmax
stage: cost
says: outside its kernels
"""

import torch
import triton
import triton.language as tl


@triton.jit
def nothing(x):
    tl.program_id(0)


def softmax(x):
    nothing[(1,)](x)
    return torch.softmax(x, dim=1)
