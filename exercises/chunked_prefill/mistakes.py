"""Prefill in chunks with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "chunk_ignores_past": Mistake(
        "A chunk sees only its own keys. The chunks before it are its past: it needs the keys "
        "from 0 to its end.",
        concept="chunked-prefill",
    ),
    "diagonal_block_unmasked": Mistake(
        "Inside a chunk queries see the whole chunk, the future included. All of the past is "
        "visible, but the chunk's own keys need the causal mask.",
        concept="causal-mask",
    ),
    "own_chunk_hidden": Mistake(
        "A chunk sees the chunks before it, but not itself (the first one sees nothing and "
        "becomes NaN). Its own keys belong to it, up to the diagonal.",
        concept="chunked-prefill",
    ),
    "mask_ignores_offset": Mistake(
        "Your mask counts queries from the start of the chunk: query r sees keys 0 to r. It "
        "sits at position start + r.",
        concept="mask-alignment",
    ),
    "strict_mask": Mistake(
        "Your causal mask hides the diagonal: a query does not see its own key.",
        concept="causal-mask",
    ),
    "last_partial_chunk_dropped": Mistake(
        "When chunk does not divide n, the last queries are never worked on: the number of "
        "chunks has to be rounded up.",
        concept="tiling",
        variants=("zeros", "shorter_output"),
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the "
        "softmax saturates.",
        concept="scaling",
    ),
    "full_scores": Mistake(
        "The answer is right, but you hold scores for all queries at once: memory grows with "
        "n*n. The point of chunks is to hold chunk rows of them.",
        concept="chunked-prefill",
        cost={"peak_bytes": "~b*h*n**2"},
    ),
}


def solve(
    q: Tensor, k: Tensor, v: Tensor, chunk: int, mistakes: frozenset[str] = frozenset()
) -> Tensor:
    """o: (b, h, n, d). Dense, so the plain answer already is the mistake full_scores."""
    n, d = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) * (1.0 if "no_scale" in mistakes else d**-0.5)
    scores = scores.masked_fill(~_visible(n, chunk, mistakes), -torch.inf)
    o = torch.softmax(scores, dim=-1) @ v
    done = n // chunk * chunk
    if "last_partial_chunk_dropped:shorter_output" in mistakes:
        return o[..., :done, :]
    if "last_partial_chunk_dropped:zeros" in mistakes:
        o[..., done:, :] = 0
    return o


def _visible(n: int, chunk: int, mistakes: frozenset[str]) -> Tensor:
    """(n, n), True where query i may see key j."""
    i, j = torch.arange(n)[:, None], torch.arange(n)
    start = i // chunk * chunk
    own = i - start if "mask_ignores_offset" in mistakes else i
    visible = j < own if "strict_mask" in mistakes else j <= own
    if "diagonal_block_unmasked" in mistakes:
        visible = j < start + chunk
    if "own_chunk_hidden" in mistakes:
        visible = visible & (j < start)
    if "chunk_ignores_past" in mistakes:
        if "mask_ignores_offset" in mistakes and "diagonal_block_unmasked" not in mistakes:
            # Both count from the chunk's start, and so they agree: keys too.
            local = j - start
            visible = local < i - start if "strict_mask" in mistakes else local <= i - start
        visible = visible & (j >= start)
    return visible
