# slip: line 27
import torch


def flash_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, block: int, causal: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """All queries against one tile of keys after the other."""
    n, m, d = q.size(-2), k.size(-2), q.size(-1)
    dtype = torch.promote_types(q.dtype, torch.float32)
    neg_inf = float("-inf")

    queries = q.to(dtype) * d**-0.5
    acc = torch.zeros_like(queries)
    row_max = queries.new_full(q.shape[:-1], neg_inf)
    row_sum = torch.zeros_like(row_max)

    for start in range(0, m, block):
        keys = k[..., start : start + block, :].to(dtype)
        values = v[..., start : start + block, :].to(dtype)
        first = 0
        rows = slice(first, n)
        scores = queries[..., rows, :] @ keys.mT
        if causal:
            q_pos = torch.arange(first, n)[:, None] + m - n
            k_pos = torch.arange(start, start + keys.size(-2))[None, :]
            scores.masked_fill(k_pos > q_pos, neg_inf)
        old_max = row_max[..., rows]
        new_max = torch.maximum(old_max, scores.amax(-1))
        scale = torch.exp(old_max - new_max)
        probs = torch.exp(scores - new_max[..., None])
        row_sum[..., rows] = row_sum[..., rows] * scale + probs.sum(-1)
        acc[..., rows, :] = acc[..., rows, :] * scale[..., None] + probs @ values
        row_max[..., rows] = new_max

    out = torch.where(row_sum[..., None] > 0, acc / row_sum[..., None], 0.0)
    return out.to(q.dtype), row_max + torch.log(row_sum)
