# slip: line 8
import torch


def rope(x, positions, base=10000.0):
    b, h, n, d = x.shape
    pairs = torch.arange(0, d, 2)
    inv_freq = (base ** (-pairs.float() / d)).to(x)
    angles = positions.unsqueeze(1) * inv_freq
    cos = torch.cos(angles.float())
    sin = torch.sin(angles.float())
    even, odd = x.float()[..., 0::2], x.float()[..., 1::2]
    out = x.new_empty(b, h, n, d)
    out[..., 0::2] = even * cos - odd * sin
    out[..., 1::2] = even * sin + odd * cos
    return out
