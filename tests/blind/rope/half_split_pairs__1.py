# slip: lines 10, 11
import torch


def rope(x, positions, base=10000.0):
    d = x.shape[-1]
    freq = base ** (-torch.arange(0, d, 2, dtype=torch.float32) / d)
    angle = positions.float()[:, None] * freq[None, :]
    cos, sin = angle.cos(), angle.sin()
    a, b = x.float().chunk(2, dim=-1)
    y = torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)
    return y.to(x.dtype)
