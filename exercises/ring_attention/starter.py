"""Ring attention, all ranks in one process. The task: quizprep show ring_attention.
Then: quizprep grade ring_attention."""

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
    """
    # TODO: one foreign shard of keys and values at a time in each rank.
    raise NotImplementedError("ring_attention is not written yet")
