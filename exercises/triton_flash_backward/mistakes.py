"""The backward pass from o and lse with a switch for every known mistake.

What only a price gives away is a real kernel. The rest is a model in torch that reads the
memory around the inputs as a faulty kernel would.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "missing_delta": Mistake(
        "Your gradient of the softmax is p * dp. Each row has to lose delta = sum(o * grad_o) "
        "first: ds = p * (dp - delta).",
        concept="flash-backward",
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
        concept="scaling",
        variants=("dq", "dk", "both"),
    ),
    "swapped_dk_dv": Mistake(
        "You return dv in the place of dk and dk in the place of dv.",
        concept="flash-backward",
    ),
    "tail_unmasked": Mistake(
        "When block does not divide n or m, lanes of your last tile have no row, and without a "
        "mask on the loads they hold what lies behind the matrix. It goes into the sums over the "
        "tile; a weight of 0 does not help, since 0 times NaN is NaN. Mask and fill with 0.",
        concept="kernel-masking",
        variants=("queries", "queries_but_lse", "keys", "keys_but_weights"),
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
    "takes_inputs_as_contiguous": Mistake(
        "You find heads and rows as if the inputs were contiguous. Pass the strides of each: "
        "after view and transpose a head's rows lie h*d elements apart.",
        concept="strides",
        variants=("last_axis", "all_axes"),
    ),
    "materialises_weights": Mistake(
        "The answer is right, but you write weights for all pairs of query and key to main "
        "memory: they take n*m values and have to be read again. Rebuild a tile of them wherever "
        "one is needed.",
        concept="flash-memory",
        cost={"peak_bytes": "~b*h*n*m"},
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

    Dense, with masks for what tiles would do.
    """
    # Cost is read only where the answer is right, so next to other mistakes this one is silent.
    if mistakes == {"materialises_weights"}:
        return _materialised(q, k, v, o, lse, grad_o, block, causal)
    causal = causal and "ignores_causal" not in mistakes
    n, d = q.shape[-2:]
    m = k.shape[-2]
    scale = d**-0.5
    q, k, v, o, lse, grad_o = (_as_found(x, mistakes) for x in (q, k, v, o, lse, grad_o))
    tails = {name.split(":")[1] for name in mistakes if name.startswith("tail_unmasked")}

    # All rows of the last tiles of queries and of keys, real or not.
    rows, keys = -(-n // block) * block, -(-m // block) * block
    q_rows, grad_rows = _rows(q, rows), _rows(grad_o, rows)
    k_rows, v_rows = _rows(k, keys), _rows(v, keys)
    if not tails & {"queries", "queries_but_lse"}:
        q_rows[..., n:, :] = grad_rows[..., n:, :] = 0
    if not tails & {"keys", "keys_but_weights"}:
        k_rows[..., m:, :] = v_rows[..., m:, :] = 0

    delta = torch.zeros((*q.shape[:2], rows, 1), dtype=q.dtype)
    delta[..., :n, 0] = (_rows(o, n) * _rows(grad_o, n)).sum(dim=-1)
    known = torch.full((*q.shape[:2], rows), -torch.inf, dtype=q.dtype)
    known[..., :n] = _rows(lse[..., None], n)[..., 0]
    if "queries_but_lse" in tails:
        known[..., n:] = 0

    p = _weights(q_rows, k_rows, known, n, m, block, causal, mistakes)
    dp = grad_rows @ v_rows.transpose(-2, -1)

    # Tiles by number: (rows, 1) of queries and (keys,) of keys.
    row_tile, key_tile = torch.arange(rows)[:, None] // block, torch.arange(keys) // block
    if "delta_of_one_tile" in mistakes:
        same_tile = (key_tile[:, None] == key_tile).to(p.dtype)
        real = (torch.arange(keys) < m).to(p.dtype)
        delta = (p * dp * real) @ same_tile
    if "missing_delta" in mistakes:
        delta = torch.zeros_like(delta)
    ds = p * (dp - delta)

    newest = row_tile == row_tile[-1]
    last = torch.full((rows, 1), (m - 1) // block)
    if causal:
        offset = 0 if "top_left_aligned" in mistakes else m - n
        sees = torch.clamp((row_tile + 1) * block, max=n) - 1 + offset
        last = torch.clamp(sees, max=m - 1) // block
    for_dq = ds.masked_fill(key_tile != last, 0) if "dq_not_accumulated" in mistakes else ds
    overwritten = {name.split(":")[1] for name in mistakes if name.startswith("dk_not")}
    for_dk = ds.masked_fill(~newest, 0) if overwritten & {"dk", "both"} else ds
    for_dv = p.masked_fill(~newest, 0) if overwritten & {"dv", "both"} else p

    unscaled = {name.split(":")[1] for name in mistakes if name.startswith("no_scale_in_dq")}
    # A tile of keys that is not visited has no part in dq, whatever it holds.
    tiles = [
        for_dq[..., i : i + block, :stop] @ k_rows[..., :stop, :]
        for i, stop in zip(range(0, n, block), (last[::block, 0] + 1) * block, strict=True)
    ]
    dq = torch.cat(tiles, dim=-2)[..., :n, :] * (1.0 if unscaled & {"dq", "both"} else scale)
    dk = (for_dk.transpose(-2, -1) @ q_rows)[..., :m, :]
    dk = dk * (1.0 if unscaled & {"dk", "both"} else scale)
    dv = (for_dv.transpose(-2, -1) @ grad_rows)[..., :m, :]
    return (dq, dv, dk) if "swapped_dk_dv" in mistakes else (dq, dk, dv)


def _weights(
    q: Tensor,
    k: Tensor,
    lse: Tensor,
    n: int,
    m: int,
    block: int,
    causal: bool,
    mistakes: frozenset[str],
) -> Tensor:
    """p, rebuilt, for all rows of all tiles: (b, h, rows, keys)."""
    scores = q @ k.transpose(-2, -1)
    if "recompute_without_scale" not in mistakes:
        scores = scores * q.shape[-1] ** -0.5
    top = torch.zeros_like(lse) if "lse_ignored" in mistakes else lse
    i, j = torch.arange(scores.shape[-2])[:, None], torch.arange(scores.shape[-1])
    empty = lse.isneginf()[..., None]
    p = torch.exp(scores - top.masked_fill(top.isneginf(), 0)[..., None])
    visible = torch.ones_like(p, dtype=torch.bool)
    if "tail_unmasked:keys" not in mistakes:
        visible &= j < m
    visited = torch.ones_like(p, dtype=torch.bool)
    if causal:
        offset = 0 if "top_left_aligned" in mistakes else m - n
        # The last key that a query, and the last query of its tile, may see.
        tile_sees = torch.clamp((i // block + 1) * block, max=n) - 1 + offset
        visited &= j // block * block <= tile_sees
        visible &= visited if "diagonal_tile_unmasked" in mistakes else j <= i + offset
    p = p.masked_fill(~visible | empty, 0)
    real = i < n
    if causal and "nan_on_empty_row:in_visited_tiles" in mistakes:
        p = p.masked_fill(empty & visited & real, torch.nan)
    elif causal and "nan_on_empty_row:everywhere" in mistakes:
        p = p.masked_fill((empty & real).expand_as(p), torch.nan)
    return p


def _as_found(x: Tensor, mistakes: frozenset[str]) -> Tensor:
    """x with the strides by which a kernel with these mistakes walks over it."""
    if "takes_inputs_as_contiguous:last_axis" in mistakes:
        return x.as_strided(x.shape, (*x.stride()[:-1], 1))
    if "takes_inputs_as_contiguous:all_axes" in mistakes:
        return x.as_strided(x.shape, torch.empty(x.shape, device="meta").stride())
    return x


def _rows(x: Tensor, rows: int) -> Tensor:
    """(b, h, rows, d): so many rows of every head, whether they belong to x or not.

    Outside the storage, where a real kernel would read anything, there is NaN.
    """
    size = x.untyped_storage().nbytes() // x.element_size()
    memory = torch.as_strided(x, (size,), (1,), 0)
    place = torch.tensor(x.storage_offset())
    shape = (*x.shape[:2], rows, x.shape[3])
    for length, step in zip(shape, x.stride(), strict=True):
        place = place[..., None] + torch.arange(length) * step
    outside = (place < 0) | (place >= size)
    return memory[place.clamp(0, size - 1)].masked_fill(outside, torch.nan)


@triton.jit
def _keep_weights(
    q,
    k,
    v,
    o,
    lse,
    grad_o,
    p_all,
    ds_all,
    dq,
    n,
    m,
    d,
    scale,
    CAUSAL: tl.constexpr,
    BLOCK: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """dq of a tile of queries; its weights and their gradients go to main memory as well."""
    i, head = tl.program_id(0) * BLOCK, tl.program_id(1)
    row, col, lane = i + tl.arange(0, BLOCK), tl.arange(0, BLOCK_D), tl.arange(0, BLOCK)
    at = (head * n + row[:, None]) * d + col[None, :]
    inside = (row[:, None] < n) & (col[None, :] < d)
    q_tile = tl.load(q + at, mask=inside, other=0.0)
    grad = tl.load(grad_o + at, mask=inside, other=0.0)
    delta = tl.sum(grad * tl.load(o + at, mask=inside, other=0.0), axis=1)
    row_lse = tl.load(lse + head * n + row, mask=row < n, other=-float("inf"))
    dq_tile = tl.full((BLOCK, BLOCK_D), 0.0, dtype=tl.float32)
    for j in range(0, m, BLOCK):
        key = j + lane
        keys = (head * m + key[:, None]) * d + col[None, :]
        there = (key[:, None] < m) & (col[None, :] < d)
        k_tile = tl.load(k + keys, mask=there, other=0.0)
        v_tile = tl.load(v + keys, mask=there, other=0.0)
        visible = (row_lse[:, None] > -float("inf")) & (key[None, :] < m)
        if CAUSAL:
            visible = visible & (key[None, :] <= row[:, None] + m - n)
        scores = tl.dot(q_tile, tl.trans(k_tile), input_precision="ieee") * scale
        p = tl.exp(tl.where(visible, scores - row_lse[:, None], -float("inf")))
        dp = tl.dot(grad, tl.trans(v_tile), input_precision="ieee")
        ds = p * (dp - delta[:, None])
        pairs = (head * n + row[:, None]) * m + key[None, :]
        tl.store(p_all + pairs, p, mask=(row[:, None] < n) & (key[None, :] < m))
        tl.store(ds_all + pairs, ds, mask=(row[:, None] < n) & (key[None, :] < m))
        dq_tile += tl.dot(ds, k_tile, input_precision="ieee")
    tl.store(dq + at, dq_tile * scale, mask=inside)


@triton.jit
def _use_weights(
    q,
    grad_o,
    p_all,
    ds_all,
    dk,
    dv,
    n,
    m,
    d,
    scale,
    BLOCK: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """dk and dv of a tile of keys from the weights in main memory."""
    j, head = tl.program_id(0) * BLOCK, tl.program_id(1)
    key, col, lane = j + tl.arange(0, BLOCK), tl.arange(0, BLOCK_D), tl.arange(0, BLOCK)
    dk_tile = tl.full((BLOCK, BLOCK_D), 0.0, dtype=tl.float32)
    dv_tile = tl.full((BLOCK, BLOCK_D), 0.0, dtype=tl.float32)
    for i in range(0, n, BLOCK):
        row = i + lane
        at = (head * n + row[:, None]) * d + col[None, :]
        inside = (row[:, None] < n) & (col[None, :] < d)
        q_tile = tl.load(q + at, mask=inside, other=0.0)
        grad = tl.load(grad_o + at, mask=inside, other=0.0)
        pairs = (head * n + row[:, None]) * m + key[None, :]
        there = (row[:, None] < n) & (key[None, :] < m)
        p = tl.load(p_all + pairs, mask=there, other=0.0)
        ds = tl.load(ds_all + pairs, mask=there, other=0.0)
        dv_tile += tl.dot(tl.trans(p), grad, input_precision="ieee")
        dk_tile += tl.dot(tl.trans(ds), q_tile, input_precision="ieee")
    at = (head * m + key[:, None]) * d + col[None, :]
    inside = (key[:, None] < m) & (col[None, :] < d)
    tl.store(dk + at, dk_tile * scale, mask=inside)
    tl.store(dv + at, dv_tile, mask=inside)


def _materialised(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    o: Tensor,
    lse: Tensor,
    grad_o: Tensor,
    block: int,
    causal: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    (b, h, n, d), m = q.shape, k.shape[2]
    q, k, v, o, lse, grad_o = (x.contiguous() for x in (q, k, v, o, lse, grad_o))
    dq, dk, dv = (torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in (q, k, v))
    p, ds = (torch.empty((b, h, n, m), dtype=torch.float32, device=q.device) for _ in range(2))
    blocks = {"BLOCK": block, "BLOCK_D": max(16, triton.next_power_of_2(d))}
    sizes = (n, m, d, d**-0.5)
    inputs = (q, k, v, o, lse, grad_o)
    grid = (triton.cdiv(n, block), b * h)
    _keep_weights[grid](*inputs, p, ds, dq, *sizes, CAUSAL=causal, **blocks)
    grid = (triton.cdiv(m, block), b * h)
    _use_weights[grid](q, grad_o, p, ds, dk, dv, *sizes, **blocks)
    return dq, dk, dv
