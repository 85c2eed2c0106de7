# slip: line 20
import torch

NEG = float("-inf")


def tile_attention(q, k, v, hidden):
    """Plain attention on one tile: normalised output and lse."""
    s = q @ k.transpose(-2, -1)
    if hidden is not None:
        s = s.masked_fill(hidden, NEG)
    lse = torch.logsumexp(s, dim=-1, keepdim=True)
    w = torch.exp(s - lse.clamp_min(torch.finfo(s.dtype).min))
    return w @ v, lse


def combine(o1, lse1, o2, lse2):
    lse = torch.logaddexp(lse1, lse2)
    safe = lse.clamp_min(torch.finfo(lse.dtype).min)
    return (o1 * torch.exp(lse1 - safe) + o2 * torch.exp(lse2 - safe)) / 2, lse


def flash_attention(q, k, v, block, causal=False):
    n, d = q.shape[-2:]
    m = k.shape[-2]
    work = torch.promote_types(q.dtype, torch.float32)
    outs, lses = [], []
    for rows in torch.arange(n).split(block):
        qt = q[:, :, rows].to(work) * d**-0.5
        last = rows[-1] + m - n  # newest key that anyone in this tile sees
        o = torch.zeros_like(qt)
        lse = torch.full_like(qt[..., :1], NEG)
        for cols in torch.arange(m).split(block):
            if causal and cols[0] > last:
                break
            hidden = cols[None, :] > rows[:, None] + m - n if causal else None
            part = tile_attention(qt, k[:, :, cols].to(work), v[:, :, cols].to(work), hidden)
            o, lse = combine(o, lse, *part)
        outs.append(o.to(q.dtype))
        lses.append(lse[..., 0])
    return torch.cat(outs, dim=2), torch.cat(lses, dim=2)
