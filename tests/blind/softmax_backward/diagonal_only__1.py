# slip: line 8
import torch


def softmax_backward(p: torch.Tensor, grad_p: torch.Tensor) -> torch.Tensor:
    """Chain rule: the derivative of the softmax times the incoming gradient."""
    prob = p.to(torch.float32)
    derivative = prob * (1.0 - prob)
    return (derivative * grad_p.to(torch.float32)).to(p.dtype)
