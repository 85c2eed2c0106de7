# slip: line 10
import torch


def rope(x, positions, base=10000.0):
    d = x.shape[-1]
    ct = torch.promote_types(x.dtype, torch.float32)
    i = torch.arange(d // 2, dtype=ct, device=x.device)
    freq = base ** (-2 * i / d)
    angle = torch.arange(x.shape[-2], dtype=ct)[:, None] * freq
    cos, sin = angle.cos(), angle.sin()
    first = x[..., 0::2].to(ct)
    second = x[..., 1::2].to(ct)
    y = torch.stack((first * cos - second * sin, first * sin + second * cos), dim=-1)
    return y.flatten(-2).to(x.dtype)
