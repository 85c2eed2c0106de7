"""Prefill in chunks: causal attention with a bounded number of rows of scores."""

import torch


def chunked_prefill(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, chunk: int) -> torch.Tensor:
    """Causal attention over a prompt, some queries at a time.

    q, k, v (b, h, n, d)
    chunk   queries to work on at once; it need not divide n
    returns (b, h, n, d), the same as without chunks

    Cost: chunk number c meets c chunks of keys, 2*b*h*n*(n + chunk)*d flops in all, half of
    what the full matrix takes; at the peak scores and weights of the last chunk are live,
    8*b*h*chunk*n bytes in float32, and its mask.
    """
    n, d = q.shape[-2:]
    o = torch.empty_like(q)
    for start in range(0, n, chunk):
        q_chunk = q[..., start : start + chunk, :] * d**-0.5
        rows = q_chunk.shape[-2]
        end = start + rows

        # All keys up to the chunk's own: in a server the earlier ones come from the cache.
        # Later ones are nobody's past here, so they are not even computed.
        scores = q_chunk @ k[..., :end, :].transpose(-2, -1)

        # Query r sits at start + r. Of the past nothing is hidden, so the mask is only needed
        # for the last `rows` columns: the square where chunk meets chunk.
        future = torch.ones(rows, rows, dtype=torch.bool, device=q.device).triu(diagonal=1)
        scores[..., start:].masked_fill_(future, -torch.inf)

        weights = torch.softmax(scores, dim=-1)
        del scores
        o[..., start:end, :] = weights @ v[..., :end, :]
        del weights
    return o
