# slip: line 9
import torch


def softmax_backward(p: torch.Tensor, grad_p: torch.Tensor) -> torch.Tensor:
    """dx_i = p_i dp_i."""
    dtype = torch.float64 if p.dtype == torch.float64 else torch.float32
    weighted = p.to(dtype) * grad_p.to(dtype)
    return weighted.to(p.dtype)
