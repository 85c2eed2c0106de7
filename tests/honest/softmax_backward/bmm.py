"""Row sums as a batched product of one row with one column."""

import torch


def softmax_backward(p, grad_p):
    s = (p.unsqueeze(1) @ grad_p.unsqueeze(2)).squeeze(2)
    return torch.addcmul(torch.mul(p, grad_p), p, s, value=-1)
