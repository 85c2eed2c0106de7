# slip: lines 13, 15
import torch


def grouped_query_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """The heads of a group are more queries for the same keys."""
    b, h, n, d = q.shape
    g = k.size(1)
    r = h // g
    dtype = torch.promote_types(q.dtype, torch.float32)

    folded = q.reshape(b, g, r * n, d).to(dtype)
    scores = torch.matmul(folded * d**-0.5, k[:, :1].to(dtype).transpose(-2, -1))
    weights = torch.softmax(scores, dim=-1)
    out = torch.matmul(weights, v[:, :1].to(dtype))
    return out.view(b, h, n, d).to(q.dtype)
