import torch
import torch.nn.functional as F


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """softmax(q k^T / sqrt(d)) v, computed in float32 at least."""
    dtype = torch.promote_types(q.dtype, torch.float32)
    scale = q.size(-1) ** -0.5
    scores = torch.matmul(q.to(dtype) * scale, k.to(dtype).transpose(-2, -1))
    weights = F.softmax(scores, dim=-1)
    return torch.matmul(weights, v.to(dtype)).to(q.dtype)
