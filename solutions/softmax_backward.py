"""The backward pass of softmax, one number a row instead of a Jacobian."""

import torch


def softmax_backward(p: torch.Tensor, grad_p: torch.Tensor) -> torch.Tensor:
    """The gradient of a loss by the scores, from its gradient by the weights.

    p       (rows, cols), the softmax of the scores along the last axis
    grad_p  (rows, cols), the gradient of the loss by p
    returns (rows, cols), the gradient of the loss by the scores

    Cost: 4*rows*cols operations; beside the result one product is live, 4*rows*cols bytes in
    float32, and a number a row.
    """
    # dp_i/dx_j = p_i * ((i == j) - p_j), so the chain rule gives
    #   grad_x_j = sum_i grad_p_i * dp_i/dx_j = p_j * (grad_p_j - sum_i p_i * grad_p_i),
    # and the sum is the same for all j of a row. The p_j in front is what vanishes when the
    # softmax saturates; the subtraction makes the gradients of a row add up to 0, since adding
    # a constant to its scores changes nothing.
    mean = (p * grad_p).sum(dim=-1, keepdim=True)
    return (grad_p - mean).mul_(p)
