# slip: line 10
import torch


def rope(x: torch.Tensor, positions: torch.Tensor, base: float = 10000.0) -> torch.Tensor:
    """Each pair is a complex number; turning it is a multiplication by exp(i*angle)."""
    b, h, n, d = x.shape
    real = torch.promote_types(x.dtype, torch.float32)
    inv_freq = 1.0 / base ** (torch.arange(0, d, 2, dtype=real, device=x.device) / d)
    angles = torch.outer((positions + 1).to(real), inv_freq)
    turn = torch.polar(torch.ones_like(angles), angles)
    pairs = x.to(real).contiguous().view(b, h, n, d // 2, 2)
    z = torch.view_as_complex(pairs) * turn
    return torch.view_as_real(z).reshape(b, h, n, d).to(x.dtype)
