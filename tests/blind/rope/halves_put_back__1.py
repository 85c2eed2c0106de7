# slip: line 18
import torch


class Rotary:
    def __init__(self, dim, base, positions):
        half = torch.arange(dim // 2, dtype=torch.float32)
        freqs = torch.pow(torch.tensor(base, dtype=torch.float32), -2.0 * half / dim)
        table = torch.arange(int(positions.max()) + 1, dtype=torch.float32)
        angles = torch.einsum("p,f->pf", table, freqs)
        self.cos = angles.cos()[positions]
        self.sin = angles.sin()[positions]

    def __call__(self, x):
        x1, x2 = x.unflatten(-1, (-1, 2)).float().unbind(-1)
        y1 = x1 * self.cos - x2 * self.sin
        y2 = x2 * self.cos + x1 * self.sin
        return torch.cat([y1, y2], dim=-1).to(x.dtype)


def rope(x, positions, base=10000.0):
    return Rotary(x.shape[-1], base, positions)(x)
