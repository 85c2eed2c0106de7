"""Longformer attention: windows in blocks, global columns beside them, global rows on top."""

import torch
from torch.nn.functional import pad


def longformer_attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    window: int,
    global_tokens: list[int],
) -> torch.Tensor:
    """Attention in which a token sees its neighbours, and global tokens see and are seen by all.

    q, k, v        (b, h, n, d)
    window         key j is near query i when abs(i - j) <= window; 0 is legal
    global_tokens  distinct positions, none or some
    returns        (b, h, n, d)

    Cost: each block of queries meets three blocks of keys, 12*b*h*n*window*d flops; global
    columns and global rows take 4*b*h*n*globals*d each. At the peak two arrays of
    b*h*n*(3*window + globals) scores are live, beside padded copies.
    """
    n, d = q.shape[-2:]
    window = min(window, n)
    tokens = torch.as_tensor([int(t) for t in global_tokens], dtype=torch.long, device=q.device)
    block = max(window, 1)
    tail = -n % block
    blocks = (n + tail) // block
    q = q * d**-0.5

    # Block c of queries meets blocks c - 1, c and c + 1 of keys: pad by a block on both sides,
    # then walk by one block and take three. k: (b, h, blocks, d, 3*block), a view.
    q_blocks = pad(q, (0, 0, 0, tail)).unflatten(-2, (blocks, block))
    k_blocks = pad(k, (0, 0, block, block + tail)).unfold(-2, 3 * block, block)
    near = q_blocks @ k_blocks
    far = q_blocks @ k[..., tokens, :].transpose(-2, -1)[:, :, None]
    del q_blocks, k_blocks

    # In three blocks query r of the middle one sits at column block + r.
    own = block + torch.arange(block, device=q.device)[:, None]
    column = torch.arange(3 * block, device=q.device)
    hidden = (column < own - window) | (column > own + window)
    near.masked_fill_(hidden, -torch.inf)
    # Of the keys themselves three kinds are hidden, the same for all queries: those before the
    # start, those after the end, and global ones, which are counted among the global columns.
    counted = torch.ones(n, dtype=torch.bool, device=q.device)
    counted[tokens] = False
    counted = pad(counted, (block, block + tail)).unfold(0, 3 * block, block)
    near.masked_fill_(~counted[:, None], -torch.inf)

    # One softmax over both parts. Padded queries may see nothing and turn to NaN: they are cut
    # off, and so are the rows of global tokens, whose own key may be hidden above.
    scores = torch.cat([near, far], dim=-1)
    del near, far
    weights = torch.softmax(scores, dim=-1)
    del scores
    v_blocks = pad(v, (0, 0, block, block + tail)).unfold(-2, 3 * block, block)
    o = weights[..., : 3 * block] @ v_blocks.transpose(-2, -1)
    o += weights[..., 3 * block :] @ v[..., tokens, :][:, :, None]
    del weights, v_blocks
    o = o.flatten(-3, -2)[..., :n, :]

    # The few rows that see everything.
    rows = torch.softmax(q[..., tokens, :] @ k.transpose(-2, -1), dim=-1)
    o[..., tokens, :] = rows @ v
    return o
