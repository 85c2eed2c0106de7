"""Decode attention over pages, by its definition: gather a sequence's tokens, then attend."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

LOW_SCORES = 1000.0
"""How far below 0 the scores lie with ``low``: below any finite number that looks low enough."""


def make_inputs(
    rng: np.random.Generator,
    s: int = 2,
    g: int = 2,
    r: int = 2,
    d: int = 8,
    page_size: int = 4,
    length: int = 9,
    ragged: bool = True,
    poison: bool = False,
    low: bool = False,
) -> dict[str, np.ndarray]:
    """q: (s, g * r, d); k_pages, v_pages: (pages, page_size, g, d); block_table, lengths.

    ragged  lengths from 0 to ``length`` instead of all equal
    poison  slots that hold no live token are NaN
    low     all scores lie around -LOW_SCORES
    """
    apart = LOW_SCORES**0.5 / d**0.25 if low else 0.0
    most = -(-length // page_size)
    pages = s * most + 1
    lengths = rng.integers(0, length + 1, s) if ragged else np.full(s, length)
    table = rng.permutation(pages)[: s * most].reshape(s, most)
    k_pages = rng.standard_normal((pages, page_size, g, d)) - apart
    v_pages = rng.standard_normal((pages, page_size, g, d))
    if poison:
        live = np.zeros((pages, page_size), dtype=bool)
        for row, count in zip(table, lengths, strict=True):
            live[row] = np.arange(most * page_size).reshape(most, page_size) < count
        k_pages[~live] = v_pages[~live] = np.nan
    return {
        "q": rng.standard_normal((s, g * r, d)) + apart,
        "k_pages": k_pages,
        "v_pages": v_pages,
        "block_table": table.astype(np.int32),
        "lengths": lengths.astype(np.int32),
    }


def solve(
    q: Tensor, k_pages: Tensor, v_pages: Tensor, block_table: Tensor, lengths: Tensor
) -> Tensor:
    """o: (s, h, d), in the dtype of q."""
    r = q.shape[1] // k_pages.shape[2]
    rows = []
    for query, pages, length in zip(q, block_table, lengths, strict=True):
        # (tokens, h, d): pages in order, cut off at the length, each group for its r heads.
        k, v = (
            x[pages.long()].flatten(0, 1)[: int(length)].repeat_interleave(r, dim=1)
            for x in (k_pages, v_pages)
        )
        scores = torch.einsum("hd,thd->ht", query, k) / q.shape[-1] ** 0.5
        rows.append(torch.einsum("ht,thd->hd", torch.softmax(scores, dim=-1), v))
    return torch.stack(rows)
