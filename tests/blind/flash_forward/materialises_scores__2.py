# slip: line 25
import torch


def flash_attention(q, k, v, block, causal=False):
    ct = torch.promote_types(q.dtype, torch.float32)
    n, m = q.shape[2], k.shape[2]
    scale = q.shape[3] ** -0.5
    strips = []
    for i in range(0, n, block):
        qi = q[:, :, i : i + block].to(ct) * scale
        tiles = []
        for j in range(0, m, block):
            kj = k[:, :, j : j + block].to(ct)
            rows = torch.arange(i, i + qi.shape[2]).unsqueeze(1) + m - n
            cols = torch.arange(j, j + kj.shape[2])
            if causal and cols[0] > rows[-1]:
                tiles.append(qi.new_full((*qi.shape[:3], kj.shape[2]), float("-inf")))
                continue
            tile = qi @ kj.mT
            if causal:
                tile = tile.masked_fill(cols > rows, float("-inf"))
            tiles.append(tile)
        strips.append(torch.cat(tiles, dim=-1))
    s = torch.cat(strips, dim=2)
    lse = torch.logsumexp(s, dim=-1)
    p = torch.exp(s - lse.masked_fill(lse.isinf(), 0.0).unsqueeze(-1))
    o = torch.zeros_like(q, dtype=ct)
    for i in range(0, n, block):
        end = min(m, min(i + block, n) + m - n) if causal else m
        for j in range(0, end, block):
            o[:, :, i : i + block] += p[:, :, i : i + block, j : j + block] @ v[:, :, j : j + block].to(ct)
    return o.to(q.dtype), lse
