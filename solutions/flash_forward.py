"""The forward pass of FlashAttention, in PyTorch."""

import torch


def flash_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, block: int, causal: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact attention that never holds more than a tile of the scores.

    q       (b, h, n, d)
    k, v    (b, h, m, d)
    block   queries and keys in a tile; it need not divide n or m
    causal  hide the future: the n queries are the last n of the m positions
    returns o (b, h, n, d), in the dtype of q, and
            lse (b, h, n), the logarithm of the sum of the exponentials of each row's scores,
            in float32 (float64 for float64 inputs).
            A query that may see no key gives o = 0 and lse = -inf.

    Cost: 4*b*h*n*m*d flops in the two products, as without tiles; with causal and n = m about
    half. Beyond o and lse only tiles are live: working memory grows with
    b*h*(block*d + block*block), and neither with n nor with m.
    """
    n, d = q.shape[-2:]
    m = k.shape[-2]
    # Sums of many terms want float32 even where the inputs are narrower.
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    o = torch.empty_like(q)
    lse = q.new_empty(q.shape[:-1], dtype=wide)

    for i in range(0, n, block):
        rows = slice(i, min(i + block, n))
        q_tile = q[..., rows, :]
        # The last key that each query of the tile may see.
        last = torch.arange(rows.start, rows.stop, device=q.device)[:, None] + m - n

        # What is known of a row after any number of keys: the largest score, the sum of the
        # exponentials relative to it, and the sum of the values weighted by them.
        top = q.new_full((*q_tile.shape[:-1], 1), -torch.inf, dtype=wide)
        total = torch.zeros_like(top)
        acc = torch.zeros_like(q_tile, dtype=wide)

        # Tiles beyond the tile's last query are all future: they are not even read.
        stop = min(m, rows.stop + m - n) if causal else m
        for j in range(0, stop, block):
            columns = slice(j, min(j + block, m))
            scores = (q_tile @ k[..., columns, :].transpose(-2, -1)).to(wide) * d**-0.5
            if causal and columns.stop - 1 > i + m - n:  # the diagonal crosses this tile
                key = torch.arange(columns.start, columns.stop, device=q.device)
                scores.masked_fill_(key > last, -torch.inf)

            raised = torch.maximum(top, scores.amax(dim=-1, keepdim=True))
            # A row that has seen nothing yet has the maximum -inf, and -inf - -inf is NaN.
            # Relative to 0 instead, all of its exponentials are 0.
            base = raised.masked_fill(raised.isneginf(), 0)
            weights = scores.sub_(base).exp_()

            # The old sums are relative to the old, smaller maximum: they shrink.
            shrink = torch.exp(top - base)
            total = total * shrink + weights.sum(dim=-1, keepdim=True)
            acc.mul_(shrink).add_(weights.to(v.dtype) @ v[..., columns, :])
            top = raised

        # One division a row. A row that saw nothing has the sum 0 and keeps its zeros, while
        # its log(0) makes lse -inf.
        o[..., rows, :] = acc / total.masked_fill(total == 0, 1)
        lse[..., rows] = (top + total.log()).squeeze(-1)
    return o, lse
