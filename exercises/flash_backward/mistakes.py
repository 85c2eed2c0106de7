"""The backward pass from o and lse with a switch for every known mistake."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "missing_delta": Mistake(
        "Your gradient of the softmax is p * dp. Each row has to lose delta = sum(o * grad_o) "
        "first: ds = p * (dp - delta).",
        concept="softmax-gradient",
    ),
    "delta_of_one_tile": Mistake(
        "You take delta from the tile at hand, sum(p * dp) over its keys. The sum runs over "
        "all keys of the row; sum(o * grad_o) is that number without visiting them.",
        concept="flash-backward",
    ),
    "recompute_without_scale": Mistake(
        "You rebuild the scores without dividing by sqrt(d). lse belongs to scaled scores, so "
        "exp(s - lse) are no longer the weights of the forward pass.",
        concept="flash-backward",
    ),
    "lse_ignored": Mistake(
        "You rebuild the weights as exp(s). lse is missing: exp(s - lse) are the weights, "
        "already divided by the row's sum.",
        concept="flash-backward",
    ),
    "dk_not_accumulated": Mistake(
        "Each tile of queries overwrites what earlier ones gave to dk or dv, and the last one "
        "remains. Every key serves all queries: add.",
        concept="tiling",
        variants=("dk", "dv", "both"),
    ),
    "dq_not_accumulated": Mistake(
        "Each tile of keys overwrites what earlier ones gave to dq, and the last one visited "
        "remains. A query reads all keys: add.",
        concept="tiling",
    ),
    "no_scale_in_dq": Mistake(
        "Gradients of the scores reach q and k through s = q k^T / sqrt(d), so dq and dk both "
        "carry the factor 1/sqrt(d); at least one of them lacks it.",
        concept="attention-gradient",
        variants=("dq", "dk", "both"),
    ),
    "swapped_dk_dv": Mistake(
        "You return dv in the place of dk and dk in the place of dv.",
        concept="attention-gradient",
    ),
    "diagonal_tile_unmasked": Mistake(
        "Tiles that the diagonal crosses are taken whole. The forward pass hid some of their "
        "pairs, so these have the weight 0, not exp(s - lse).",
        concept="tiling",
    ),
    "ignores_causal": Mistake(
        "causal=True changes nothing: pairs that the forward pass hid get weights.",
        concept="causal-mask",
    ),
    "top_left_aligned": Mistake(
        "Your mask starts in the top left corner: query i sees keys 0 to i even when n and m "
        "differ. The n queries are the last n positions, so query i sits at i + m - n.",
        concept="mask-alignment",
    ),
    "nan_on_empty_row": Mistake(
        "A query that sees no key (causal, n > m) makes gradients NaN: -inf - -inf has no "
        "value. Where lse is -inf all weights are 0.",
        concept="fully-masked-row",
        variants=("in_visited_tiles", "everywhere"),
    ),
    "materialises_weights": Mistake(
        "The answer is right, but you hold weights for all pairs of query and key at once: "
        "memory grows with n*m. At any time only tiles of them are needed.",
        concept="flash-memory",
        cost={"peak_bytes": "~b*h*n**2"},
    ),
}


def solve(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    o: Tensor,
    lse: Tensor,
    grad_o: Tensor,
    block: int,
    causal: bool = False,
    mistakes: frozenset[str] = frozenset(),
) -> tuple[Tensor, Tensor, Tensor]:
    """dq: (b, h, n, d); dk, dv: (b, h, m, d).

    Dense, with masks for what tiles would do; so the plain answer already is the mistake
    materialises_weights.
    """
    n, d = q.shape[-2:]
    m = k.shape[-2]
    scale = d**-0.5
    p = _weights(q, k, lse, block, causal, mistakes)
    dp = grad_o @ v.transpose(-2, -1)
    # Tiles by number: (n, 1) of queries and (m,) of keys.
    row_tile, column_tile = torch.arange(n)[:, None] // block, torch.arange(m) // block

    delta = (o * grad_o).sum(dim=-1, keepdim=True)
    if "delta_of_one_tile" in mistakes:
        same_tile = (column_tile[:, None] == column_tile).to(p.dtype)
        delta = (p * dp) @ same_tile
    if "missing_delta" in mistakes:
        delta = torch.zeros_like(delta)
    ds = p * (dp - delta)

    newest = row_tile == row_tile[-1]
    last = (n - 1) // block
    if causal and "ignores_causal" not in mistakes:
        offset = 0 if "top_left_aligned" in mistakes else m - n
        sees = torch.clamp((row_tile + 1) * block, max=n) - 1 + offset
        last = torch.clamp(sees, max=m - 1) // block
    else:
        last = torch.full((n, 1), (m - 1) // block)
    for_dq = ds.masked_fill(column_tile != last, 0) if "dq_not_accumulated" in mistakes else ds
    overwritten = {name.split(":")[1] for name in mistakes if name.startswith("dk_not")}
    for_dk = ds.masked_fill(~newest, 0) if overwritten & {"dk", "both"} else ds
    for_dv = p.masked_fill(~newest, 0) if overwritten & {"dv", "both"} else p

    unscaled = {name.split(":")[1] for name in mistakes if name.startswith("no_scale_in_dq")}
    dq = for_dq @ k * (1.0 if unscaled & {"dq", "both"} else scale)
    dk = for_dk.transpose(-2, -1) @ q * (1.0 if unscaled & {"dk", "both"} else scale)
    dv = for_dv.transpose(-2, -1) @ grad_o
    return (dq, dv, dk) if "swapped_dk_dv" in mistakes else (dq, dk, dv)


def _weights(
    q: Tensor, k: Tensor, lse: Tensor, block: int, causal: bool, mistakes: frozenset[str]
) -> Tensor:
    """p, rebuilt: (b, h, n, m)."""
    n, d = q.shape[-2:]
    m = k.shape[-2]
    scores = q @ k.transpose(-2, -1)
    if "recompute_without_scale" not in mistakes:
        scores = scores * d**-0.5
    top = torch.zeros_like(lse) if "lse_ignored" in mistakes else lse
    empty = lse.isneginf()[..., None]
    p = torch.exp(scores - top.masked_fill(top.isneginf(), 0)[..., None])
    if not causal or "ignores_causal" in mistakes:
        return p.masked_fill(empty, 0)

    i, j = torch.arange(n)[:, None], torch.arange(m)
    offset = 0 if "top_left_aligned" in mistakes else m - n
    # The last key that a query, and the last query of its tile, may see.
    sees = i + offset
    tile_sees = torch.clamp((i // block + 1) * block, max=n) - 1 + offset
    visited = j // block * block <= tile_sees
    visible = visited if "diagonal_tile_unmasked" in mistakes else j <= sees
    p = p.masked_fill(~visible | empty, 0)
    if "nan_on_empty_row:in_visited_tiles" in mistakes:
        p = p.masked_fill(empty & visited, torch.nan)
    elif "nan_on_empty_row:everywhere" in mistakes:
        p = p.masked_fill(empty.expand_as(p), torch.nan)
    return p
