"""Takes -100 for a first maximum, below any score that its author saw.

exercise: flash_forward
stage: correctness
says: -inf where
"""

import torch


def flash_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, block: int, causal: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact attention that never holds more than a tile of the scores."""
    n, d = q.shape[-2:]
    m = k.shape[-2]
    # Scores and sums want float32 even where the inputs are narrower: a score of 100 in bfloat16
    # is off by up to 1/4, and its exponential by a quarter.
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    o = torch.empty_like(q)
    lse = q.new_empty(q.shape[:-1], dtype=wide)
    # Views, made once: transposed keys, so that a tile of scores is one product.
    k_tiles = k.transpose(-2, -1).split(block, dim=-1)
    v_tiles = v.split(block, dim=-2)

    for i in range(0, n, block):
        # Scaling the queries costs d multiplications a row, scaling the scores would cost m.
        q_tile = q[..., i : i + block, :].to(wide) * d**-0.5
        rows = q_tile.shape[-2]
        # The last key that the tile's first and last query may see.
        first_sees, last_sees = i + m - n, i + rows - 1 + m - n

        # What is known of a row after any number of keys: the largest score, the sum of the
        # exponentials relative to it, and the sum of the values weighted by them.
        top = q.new_full((*q_tile.shape[:-1], 1), -100.0, dtype=wide)
        total = torch.zeros_like(top)
        acc = torch.zeros_like(q_tile)

        for j, (k_tile, v_tile) in enumerate(zip(k_tiles, v_tiles, strict=True)):
            first_key, end = j * block, j * block + v_tile.shape[-2]
            if causal and first_key > last_sees:
                break  # this tile and all later ones are in the future of every query here
            scores = q_tile @ k_tile.to(wide)
            if causal and end - 1 > first_sees:  # the diagonal crosses this tile
                key = torch.arange(first_key, end, device=q.device)
                query = torch.arange(rows, device=q.device)[:, None]
                scores.masked_fill_(key > first_sees + query, -torch.inf)

            raised = torch.maximum(top, scores.amax(dim=-1, keepdim=True))
            if causal:
                # A row that has seen nothing yet has the maximum -inf, and -inf - -inf is NaN.
                # Relative to any finite number all of its exponentials are 0, as they should be.
                raised.clamp_(min=torch.finfo(wide).min)
            weights = scores.sub_(raised).exp_()

            # The old sums are relative to the old, smaller maximum: they shrink.
            shrink = torch.exp(top - raised)
            total.mul_(shrink).add_(weights.sum(dim=-1, keepdim=True))
            acc.mul_(shrink).add_(weights @ v_tile.to(wide))
            top = raised

        # One division a row. A row that saw nothing has the sum 0 and keeps its zeros, while
        # its log(0) makes lse -inf.
        o[..., i : i + block, :] = acc / total.masked_fill(total == 0, 1)
        lse[..., i : i + block] = (top + total.log()).squeeze(-1)
    return o, lse
