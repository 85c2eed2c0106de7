# slip: line 13
import torch


def grouped_query_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """The heads of a group are more queries for the same keys."""
    b, h, n, d = q.shape
    g = k.size(1)
    r = h // g
    dtype = torch.promote_types(q.dtype, torch.float32)

    folded = q.reshape(b, g, r * n, d).to(dtype)
    scores = torch.matmul(folded * h**-0.5, k.to(dtype).transpose(-2, -1))
    weights = torch.softmax(scores, dim=-1)
    out = torch.matmul(weights, v.to(dtype))
    return out.view(b, h, n, d).to(q.dtype)
