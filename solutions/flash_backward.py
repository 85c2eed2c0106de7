"""The backward pass of FlashAttention, in PyTorch."""

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

    Cost: five products a tile, 10*b*h*n*m*d flops, 2.5 times the forward pass, because the
    scores are computed again; with causal and n = m about half. Beyond the gradients only
    tiles are live: working memory grows neither with n nor with m.
    """
    n, d = q.shape[-2:]
    m = k.shape[-2]
    scale = d**-0.5
    dq = torch.empty_like(q)
    # Sums of many terms: with narrower inputs than float32 they would still be float32.
    dk = torch.zeros_like(k)
    dv = torch.zeros_like(v)

    for i in range(0, n, block):
        here = slice(i, i + block)
        q_tile, grad_tile = q[..., here, :] * scale, grad_o[..., here, :]
        rows = q_tile.shape[-2]
        # The last key that the tile's first and last query may see.
        first_sees, last_sees = i + m - n, i + rows - 1 + m - n

        # The softmax's gradient needs sum_j p_j dp_j over the whole row. Since dp_j = grad_o.v_j
        # that is grad_o . sum_j p_j v_j = grad_o . o: one number a query, before any tile.
        delta = (o[..., here, :] * grad_tile).sum(dim=-1, keepdim=True)
        # A row that saw nothing has lse = -inf, and -inf - -inf is NaN. Relative to any finite
        # number its weights are exp(-inf) = 0, as they should be.
        top = lse[..., here, None]
        top = top.masked_fill(top.isneginf(), 0)
        dq_tile = torch.zeros_like(q_tile)

        for j in range(0, m, block):
            if causal and j > last_sees:
                break  # this tile and all later ones are in the future of every query here
            there = slice(j, j + block)
            k_tile, v_tile = k[..., there, :], v[..., there, :]

            # The weights again, without a maximum or a sum: lse holds both.
            scores = q_tile @ k_tile.transpose(-2, -1)
            if causal and j + k_tile.shape[-2] - 1 > first_sees:  # the diagonal crosses this tile
                key = j + torch.arange(k_tile.shape[-2], device=q.device)
                query = torch.arange(rows, device=q.device)[:, None]
                scores.masked_fill_(key > first_sees + query, -torch.inf)
            p = scores.sub_(top).exp_()

            dv[..., there, :] += p.transpose(-2, -1) @ grad_tile
            dp = grad_tile @ v_tile.transpose(-2, -1)
            ds = dp.sub_(delta).mul_(p)

            # Every key serves all tiles of queries, and every query reads all tiles of keys.
            dk[..., there, :] += ds.transpose(-2, -1) @ q_tile
            dq_tile += ds @ k_tile
            del scores, p, dp, ds

        # q_tile carried the scale into dk; dq still lacks it.
        dq[..., here, :] = dq_tile.mul_(scale)
    return dq, dk, dv
