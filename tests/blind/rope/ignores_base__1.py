# slip: line 19
import math

import torch


def rotate_pairs(x):
    """(x0, x1, x2, x3, ...) -> (-x1, x0, -x3, x2, ...)"""
    out = torch.empty_like(x)
    out[..., ::2] = -x[..., 1::2]
    out[..., 1::2] = x[..., ::2]
    return out


def rope(x, positions, base=10000.0):
    d = x.size(-1)
    xf = x.float()
    steps = torch.arange(0, d, 2).float()
    theta = torch.exp(steps * (-math.log(10000.0) / d))
    angles = positions.float().unsqueeze(-1) * theta
    angles = angles.repeat_interleave(2, dim=-1)
    return (xf * angles.cos() + rotate_pairs(xf) * angles.sin()).to(x.dtype)
