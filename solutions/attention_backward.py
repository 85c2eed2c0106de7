"""The backward pass of attention, by hand."""

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

    Cost: five products, 10*b*h*n*m*d flops where the forward pass has two; at the peak three
    (b, h, n, m) arrays are live, 12*b*h*n*m bytes in float32.
    """
    n, d = q.shape[-2:]
    m = k.shape[-2]
    scale = d**-0.5

    # The forward pass up to the weights: scaled queries give scaled scores.
    q = q * scale
    scores = q @ k.transpose(-2, -1)
    if causal:
        hidden = torch.ones(n, m, dtype=torch.bool, device=q.device).triu(diagonal=m - n + 1)
        scores.masked_fill_(hidden, -torch.inf)
    p = torch.softmax(scores, dim=-1)
    del scores
    if causal:
        # Rows that see nothing are 0/0. One of them would spoil all of dk and dv.
        p.masked_fill_(hidden, 0)

    # o = p v, so grad_o reaches the values through p, and the weights through v.
    dv = p.transpose(-2, -1) @ grad_o
    dp = grad_o @ v.transpose(-2, -1)

    # The softmax, one number a row in place of a Jacobian. Where p is 0, so is ds: the mask
    # needs no second thought.
    mean = (p * dp).sum(dim=-1, keepdim=True)
    ds = dp.sub_(mean).mul_(p)
    del p

    # s = (scale * q) k^T: the factor is in q already, for dq it is still missing.
    dk = ds.transpose(-2, -1) @ q
    dq = (ds @ k).mul_(scale)
    return dq, dk, dv
