"""Attention, backwards. The task: quizprep show attention_backward. Then: quizprep grade it."""

import torch


def attention_backward(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    grad_o: torch.Tensor,
    causal: bool = False,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of attention by its inputs.

    q       (b, h, n, d)
    k, v    (b, h, m, d)
    grad_o  (b, h, n, d), the gradient of the loss by the output
    causal  hide the future: the n queries are the last n of the m positions
    returns dq (b, h, n, d), dk (b, h, m, d), dv (b, h, m, d); a query that may see no key has
            zero gradients and gives none
    """
    # TODO: the weights once more, then the chain rule from the output back.
    raise NotImplementedError("attention_backward is not written yet")
