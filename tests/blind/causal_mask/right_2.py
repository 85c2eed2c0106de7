import torch


def causal_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Masked attention, the mask put in front of the softmax."""
    n, m = q.size(-2), k.size(-2)
    dtype = torch.promote_types(q.dtype, torch.float32)
    scale = q.size(-1) ** -0.5

    scores = torch.matmul(q.to(dtype), k.to(dtype).transpose(-2, -1)) * scale
    visible = torch.ones(n, m, dtype=torch.bool, device=q.device).tril(m - n)
    scores = scores.masked_fill(~visible, float("-inf"))
    weights = torch.softmax(scores, dim=-1)
    weights = weights.masked_fill(~visible.any(-1, keepdim=True), 0.0)
    return torch.matmul(weights, v.to(dtype)).to(q.dtype)
