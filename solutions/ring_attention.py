"""Ring attention, with all ranks in one process."""

from collections.abc import Sequence

import torch


def ring_attention(
    q_shards: Sequence[torch.Tensor],
    k_shards: Sequence[torch.Tensor],
    v_shards: Sequence[torch.Tensor],
    causal: bool = False,
) -> list[torch.Tensor]:
    """Attention over a sequence that is spread over ranks.

    q_shards, k_shards, v_shards  by rank, each (b, h, s, d); rank i has the tokens from i*s
                                  to (i + 1)*s - 1
    causal                        whether a query sees only keys up to its own position
    returns                       o by rank, each (b, h, s, d)

    Cost, with n = r*s tokens on r ranks: 4*b*h*n^2*d flops, half of which causal leaves out;
    beside what the ranks accumulate, the scores of one shard against one other, (b, h, s, s).
    """
    ranks = len(q_shards)
    # Each rank runs this loop on its own; what they hold between steps is what a list holds here.
    states = [_start(q) for q in q_shards]
    kv = list(zip(k_shards, v_shards, strict=True))

    for step in range(ranks):
        for rank, q in enumerate(q_shards):
            owner = (rank - step) % ranks
            # Contiguous shards make whole shards past or future. A rank that has nothing to do
            # waits for the others, which is why a causal ring is badly balanced.
            if causal and owner > rank:
                continue
            _accumulate(states[rank], q, *kv[rank], diagonal=causal and owner == rank)
        # One hop: everybody sends to the next rank what it holds, while it computes.
        kv = kv[-1:] + kv[:-1]

    return [(o / total).to(q.dtype) for q, (o, _, total) in zip(q_shards, states, strict=True)]


State = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def _start(q: torch.Tensor) -> State:
    """Output, maximum and sum over no keys, in float32 at least."""
    wide = torch.promote_types(q.dtype, torch.float32)
    o = torch.zeros(q.shape, dtype=wide, device=q.device)
    top = torch.full((*q.shape[:-1], 1), -torch.inf, dtype=wide, device=q.device)
    return o, top, torch.zeros_like(top)


def _accumulate(
    state: State, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, diagonal: bool
) -> None:
    """Take one shard of keys and values into a rank's state, in place."""
    o, top, total = state
    scores = (q.to(o.dtype) * q.shape[-1] ** -0.5) @ k.to(o.dtype).transpose(-2, -1)
    if diagonal:
        s = q.shape[-2]
        future = torch.ones(s, s, dtype=torch.bool, device=q.device).triu(1)
        scores.masked_fill_(future, -torch.inf)

    # The own shard comes first and every query sees itself, so this maximum is always finite.
    new = torch.maximum(top, scores.amax(-1, keepdim=True))
    rescale = torch.exp(top - new)
    weights = torch.exp(scores - new)
    total.mul_(rescale).add_(weights.sum(-1, keepdim=True))
    o.mul_(rescale).add_(weights @ v.to(o.dtype))
    top.copy_(new)
