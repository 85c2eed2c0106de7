"""Loop over query rows, gradients accumulate."""

import torch


def attention_backward(q, k, v, grad_o, causal=False):
    b, h, n, d = q.shape
    m = k.shape[2]
    dq = torch.zeros(q.shape)
    dk = torch.zeros(k.shape)
    dv = torch.zeros(v.shape)
    c = 1 / d**0.5
    for i in range(n):
        end = min(m, i + m - n + 1) if causal else m
        if end <= 0:
            continue
        kk, vv = k[:, :, :end].float(), v[:, :, :end].float()
        g = grad_o[:, :, i : i + 1].float()
        qi = q[:, :, i : i + 1].float()
        p = torch.softmax(c * (qi @ kk.mT), -1)
        dv[:, :, :end] += p.mT @ g
        dp = g @ vv.mT
        ds = p * (dp - (dp * p).sum(-1, keepdim=True)) * c
        dq[:, :, i : i + 1] = ds @ kk
        dk[:, :, :end] += ds.mT @ qi
    return dq.to(q.dtype), dk.to(q.dtype), dv.to(q.dtype)
