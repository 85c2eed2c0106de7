import torch
import torch.nn.functional as F


def _causal(q, k, v):
    n = q.size(-2)
    s = q @ k.mT * q.size(-1) ** -0.5
    s = s.masked_fill(torch.ones(n, n, dtype=torch.bool).triu(1), float("-inf"))
    return s.softmax(-1) @ v


def sliding_window_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, window: int
) -> torch.Tensor:
    """Blocks of `window` queries against their own block of keys and the one before."""
    b, h, n, d = q.shape
    w = window
    dtype = torch.promote_types(q.dtype, torch.float32)
    qf, kf, vf = q.to(dtype), k.to(dtype), v.to(dtype)
    if w >= n:
        return _causal(qf, kf, vf).to(q.dtype)

    blocks = -(-n // w)
    tail = blocks * w - n
    qb = F.pad(qf, (0, 0, 0, tail)).view(b, h, blocks, w, d)
    kb = F.pad(kf, (0, 0, w, tail)).view(b, h, blocks + 1, w, d)
    vb = F.pad(vf, (0, 0, w, tail)).view(b, h, blocks + 1, w, d)
    k2 = torch.cat([kb[:, :, :-1], kb[:, :, 1:]], dim=3)
    v2 = torch.cat([vb[:, :, :-1], vb[:, :, 1:]], dim=3)

    scores = torch.matmul(qb, k2.mT) * d**-0.5
    qi = torch.arange(w)[:, None] + w
    kj = torch.arange(2 * w)[None, :]
    visible = (kj <= qi) & (kj > qi - w)
    real = (torch.arange(blocks)[:, None] * w + torch.arange(2 * w)) >= w
    visible = visible & real[:, None, :]
    scores = scores.masked_fill(~visible, float("-inf"))
    out = torch.matmul(scores.softmax(-1), v2)
    return out.view(b, h, blocks * w, d)[:, :, :n].to(q.dtype)
