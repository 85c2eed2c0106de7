"""Tiled attention, backwards. The task: quizprep show flash_backward. Then: quizprep grade it."""

import torch


def flash_attention_backward(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    o: torch.Tensor,
    lse: torch.Tensor,
    grad_o: torch.Tensor,
    block: int,
    causal: bool = False,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of attention, without ever holding more than tiles of the weights.

    q       (b, h, n, d)
    k, v    (b, h, m, d)
    o, lse  (b, h, n, d) and (b, h, n), from the forward pass; a query that may see no key has
            o = 0 and lse = -inf
    grad_o  (b, h, n, d), the gradient of the loss by o
    block   queries and keys in a tile; it need not divide n or m
    causal  hide the future: the n queries are the last n of the m positions
    returns dq (b, h, n, d), dk (b, h, m, d), dv (b, h, m, d); a query that may see no key has
            zero gradients and gives none
    """
    # TODO: rebuild each tile of weights from lse, then five products a tile.
    raise NotImplementedError("flash_attention_backward is not written yet")
