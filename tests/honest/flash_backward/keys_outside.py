"""Keys outside, queries inside; einsum; preallocated gradients."""

import torch


def flash_attention_backward(q, k, v, o, lse, grad_o, block, causal=False):
    n, m, d = q.shape[2], k.shape[2], q.shape[3]
    scale = 1 / d**0.5
    dq, dk, dv = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
    delta = torch.einsum("bhnd,bhnd->bhn", o, grad_o)
    for j in range(0, m, block):
        kj, vj = k[:, :, j : j + block], v[:, :, j : j + block]
        cols = torch.arange(j, j + kj.shape[2])
        for i in range(0, n, block):
            qi, gi = q[:, :, i : i + block], grad_o[:, :, i : i + block]
            rows = torch.arange(i, i + qi.shape[2]) + m - n
            if causal and rows[-1] < j:
                continue
            L = lse[:, :, i : i + block].unsqueeze(-1)
            p = torch.exp(torch.einsum("bhid,bhjd->bhij", qi, kj) * scale - L)
            visible = torch.isfinite(L)
            if causal:
                visible = visible & (cols <= rows[:, None])
            p = torch.where(visible, p, torch.zeros(()))
            dv[:, :, j : j + block] += torch.einsum("bhij,bhid->bhjd", p, gi)
            ds = (
                p
                * (torch.einsum("bhid,bhjd->bhij", gi, vj) - delta[:, :, i : i + block, None])
                * scale
            )
            dq[:, :, i : i + block] += torch.einsum("bhij,bhjd->bhid", ds, kj)
            dk[:, :, j : j + block] += torch.einsum("bhij,bhid->bhjd", ds, qi)
    return dq, dk, dv
