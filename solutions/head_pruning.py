"""Which heads matter, and the layer without the others."""

import torch


def head_importance(head_out: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
    """How much the loss would change if the output of a head became 0, to first order.

    head_out    (b, h, n, d), what each head gives for each token
    grad        (b, h, n, d), the gradient of the loss by head_out
    returns     (h,): |sum over d of output * gradient|, averaged over batch and tokens

    Cost: every output is read once, 2*b*h*n*d operations; the products are live, 4*b*h*n*d
    bytes in float32.
    """
    # One token can lose by a head what another gains; signs go before tokens are averaged, and
    # after the d terms of one token are added, which are one change of the loss.
    return (head_out * grad).sum(dim=-1).abs().mean(dim=(0, -1))


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

    Cost: only what stays is copied, keep/h of the weights.
    """
    # The numbers of the heads that stay, in their old order.
    kept = importance.argsort(descending=True)[:keep].sort().values
    heads = len(importance)
    w_q, w_k, w_v = (
        w.unflatten(1, (heads, -1)).index_select(1, kept).flatten(1) for w in (w_q, w_k, w_v)
    )
    # The output projection has the heads in its rows.
    return w_q, w_k, w_v, w_o.unflatten(0, (heads, -1)).index_select(0, kept).flatten(0, 1)
