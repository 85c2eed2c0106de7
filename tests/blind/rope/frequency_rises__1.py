# slip: line 10
import torch


def rope(x, positions, base=10000.0):
    B, H, N, D = x.shape
    y = torch.empty(B, H, N, D, dtype=x.dtype)
    p = positions.to(torch.float64)
    for i in range(D // 2):
        theta = p * base ** (2 * i / D)
        c = theta.cos().float()
        s = theta.sin().float()
        a = x[:, :, :, 2 * i].float()
        b = x[:, :, :, 2 * i + 1].float()
        y[:, :, :, 2 * i] = a * c - b * s
        y[:, :, :, 2 * i + 1] = a * s + b * c
    return y
