# slip: lines 11, 13
import torch


def grouped_query_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """q as (b, g, r, n, d), keys and values broadcast over r."""
    b, h, n, d = q.shape
    g = k.shape[1]
    dtype = torch.promote_types(q.dtype, torch.float32)
    grouped = q.reshape(b, g, h // g, n, d).to(dtype)
    scores = grouped @ k.to(dtype).unsqueeze(2).mT * d**-0.5
    weights = scores.softmax(dim=-1)
    out = weights @ v.to(dtype).unsqueeze(2)
    return out.reshape(b, h, n, d).to(q.dtype)
