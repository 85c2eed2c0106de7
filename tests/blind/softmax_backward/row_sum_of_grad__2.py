# slip: line 9
import torch


def softmax_backward(p: torch.Tensor, grad_p: torch.Tensor) -> torch.Tensor:
    """dx_i = p_i dp_i - p_i * sum_j p_j dp_j."""
    dtype = torch.float64 if p.dtype == torch.float64 else torch.float32
    weighted = p.to(dtype) * grad_p.to(dtype)
    row_total = grad_p.to(dtype).sum(1)
    grad_x = weighted - p.to(dtype) * row_total.unsqueeze(1)
    return grad_x.to(p.dtype)
