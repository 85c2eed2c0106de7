# slip: line 19
import torch
import torch.nn.functional as F


def _attend(q, k, v):
    s = torch.matmul(q, k.mT) / (q.shape[-1] ** 0.5)
    return torch.matmul(F.softmax(s, dim=-1), v)


def grouped_query_attention(q, k, v):
    b, h, n, d = q.shape
    g = k.shape[1]
    up = torch.promote_types(q.dtype, torch.float32)
    queries = q.to(up).view(b, g, h // g, n, d) if q.is_contiguous() else q.to(up).reshape(b, g, h // g, n, d)
    outs = []
    for r in range(h // g):
        outs.append(_attend(queries[:, :, r], k.to(up), v.to(up)))
    return torch.stack(outs, dim=1).reshape(b, h, n, d).to(q.dtype)
