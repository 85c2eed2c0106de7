# slip: lines 9, 18
import math

import torch


def rotate_half(x):
    half = x.size(-1) // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)


def rope(x, positions, base=10000.0):
    d = x.size(-1)
    xf = x.float()
    steps = torch.arange(0, d, 2).float()
    theta = torch.exp(steps * (-math.log(base) / d))
    angles = positions.float().unsqueeze(-1) * theta
    angles = torch.cat((angles, angles), dim=-1)
    return (xf * angles.cos() + rotate_half(xf) * angles.sin()).to(x.dtype)
