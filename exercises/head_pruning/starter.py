"""Pruning of attention heads. The task: quizprep show head_pruning.
Then: quizprep grade head_pruning."""

import torch


def head_importance(head_out: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
    """How much the loss would change if the output of a head became 0, to first order.

    head_out    (b, h, n, d), what each head gives for each token
    grad        (b, h, n, d), the gradient of the loss by head_out
    returns     (h,): |sum over d of output * gradient|, averaged over batch and tokens
    """
    # TODO: where does the absolute value go?
    raise NotImplementedError("head_importance is not written yet")


def prune_heads(
    w_q: torch.Tensor,
    w_k: torch.Tensor,
    w_v: torch.Tensor,
    w_o: torch.Tensor,
    importance: torch.Tensor,
    keep: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The weights of the layer that has only its `keep` most important heads.

    w_q, w_k, w_v   (D, h*d), head i owns columns i*d to (i + 1)*d
    w_o             (h*d, D), head i owns rows i*d to (i + 1)*d
    importance      (h,), float32; of equals any choice is right
    keep            1 to h
    returns         (w_q, w_k, w_v, w_o) of shapes (D, keep*d) and, for w_o, (keep*d, D);
                    the heads that are left keep their order
    """
    raise NotImplementedError("prune_heads is not written yet")
