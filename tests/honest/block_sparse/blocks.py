"""A loop over blocks of queries; two partial softmaxes merged by their sums; float32."""

import torch


def partial(q, k, v, hidden=None):
    s = q @ k.transpose(-1, -2)
    if hidden is not None:
        s = s.masked_fill(hidden, -torch.inf)
    if s.shape[-1] == 0:
        top = torch.full((*s.shape[:-1], 1), -torch.inf)
    else:
        top = s.amax(-1, keepdim=True)
    e = torch.exp(s - top.clamp(min=-1e30))
    return top, e.sum(-1, keepdim=True), e @ v


def longformer_attention(q, k, v, window, global_tokens):
    dt, n = q.dtype, q.shape[2]
    q, k, v = q.float() * q.shape[-1] ** -0.5, k.float(), v.float()
    g = sorted(set(global_tokens))
    kg, vg = k[:, :, g], v[:, :, g]
    out = torch.zeros_like(q)
    step = max(1, min(window, n))
    col = torch.zeros(n, dtype=torch.bool)
    col[g] = True
    for s in range(0, n, step):
        e = min(n, s + step)
        lo, hi = max(0, s - window), min(n, e + window)
        i, j = torch.arange(s, e)[:, None], torch.arange(lo, hi)[None]
        near = partial(
            q[:, :, s:e], k[:, :, lo:hi], v[:, :, lo:hi], ((i - j).abs() > window) | col[lo:hi]
        )
        far = partial(q[:, :, s:e], kg, vg)
        top = torch.maximum(near[0], far[0]).clamp(min=-1e30)
        f1, f2 = torch.exp(near[0] - top), torch.exp(far[0] - top)
        den = near[1] * f1 + far[1] * f2
        out[:, :, s:e] = (near[2] * f1 + far[2] * f2) / den.clamp(min=1e-30)
    for t in g:
        out[:, :, t] = (torch.softmax(q[:, :, t : t + 1] @ k.mT, -1) @ v)[:, :, 0]
    return out.to(dt)
